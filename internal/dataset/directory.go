package dataset

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// directory checks every file that the manifest lists. Each format has a lane:
// its customers, then those that refer to them. Lanes, the files after the
// customers and the hashes of files are worked on at the same time, a core each.
func (v *validator) directory(dir string) error {
	d, err := openManifest(dir, v.tables())
	if err != nil {
		return err
	}
	v.outcomes = map[string]*outcome{}
	for _, entry := range d.Manifest.Files {
		if _, err := os.Stat(d.Path(entry.Name)); errors.Is(err, os.ErrNotExist) {
			return &FileError{Dir: dir, Name: entry.Name, Reason: "is missing"}
		}
		v.outcomes[entry.Name] = &outcome{entry: entry, rec: newRecorder(v.options.MaxSamples), bytes: newRecorder(v.options.MaxSamples),
			digest: &digest{seed: v.seed}}
	}
	v.slots = make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, format := range d.Manifest.Formats {
		v.lane(d, format, i == 0)
	}
	for _, o := range v.outcomes {
		v.start(func() { o.hashed = v.bytes(d, o) })
	}
	v.running.Wait()
	return v.conclude(d)
}

// start runs a job once a core is free. Jobs may start others.
func (v *validator) start(job func()) {
	v.running.Go(func() {
		v.slots <- struct{}{}
		defer func() { <-v.slots }()
		job()
	})
}

// lane checks the files of one format, and with the first the truth.
func (v *validator) lane(d *Dataset, format string, first bool) {
	customers := v.outcomes[schema.Customers.Name+"."+format]
	v.start(func() {
		known := new(ledger)
		v.member(d, customers, &schema.Customers, &customerIDs{file: customers.entry.Name, rec: customers.rec, fill: known})
		if !customers.read {
			known = nil // nothing is known of the customers
		}
		for _, t := range schema.Tables {
			if t.Name != schema.Customers.Name {
				v.follow(d, v.outcomes[t.Name+"."+format], t, known, customers)
			}
		}
		if first {
			v.follow(d, v.outcomes[TruthParquet], v.options.Truth, known, customers)
		}
	})
}

// follow checks a file that refers to customers, which are nil if unknown.
func (v *validator) follow(d *Dataset, o *outcome, t *schema.Table, known *ledger, customers *outcome) {
	v.start(func() {
		switch {
		case t == nil:
			v.count(d, o)
		case t.Name == schema.Connections.Name:
			v.member(d, o, t, &edges{file: o.entry.Name, rec: o.rec, known: known, count: known != nil})
			if known != nil && o.read {
				// The customers' own job has ended.
				checkDegrees(known, customers.entry.Name, customers.rec)
			}
		default:
			v.member(d, o, t, &customerIDs{file: o.entry.Name, rec: o.rec, known: known})
		}
	})
}

// member checks a file of the data set. One that a codec cannot read is a violation.
func (v *validator) member(d *Dataset, o *outcome, t *schema.Table, more batchCheck) {
	err := v.table(d.Path(o.entry.Name), formatOf(o.entry.Name), t, o, more, o.digest)
	v.settle(d, o, err)
}

// count counts the rows of a file whose columns are not known.
func (v *validator) count(d *Dataset, o *outcome) {
	err := func() error {
		f, err := os.Open(d.Path(o.entry.Name))
		if err != nil {
			return pathError(d.Path(o.entry.Name), err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return pathError(d.Path(o.entry.Name), err)
		}
		found, err := parquetfile.Inspect(f, info.Size())
		o.rows, o.read = found.Rows, err == nil
		return err
	}()
	v.settle(d, o, err)
}

// settle records how the reading of a file ended.
func (v *validator) settle(d *Dataset, o *outcome, err error) {
	if why := unreadable(err); why != "" {
		o.rec.add(Violation{File: o.entry.Name, Rule: RuleFile, Message: why})
		return
	}
	if o.err = err; err != nil || !o.read {
		return
	}
	want := d.Manifest.Rows
	if o.entry.Table == schema.Connections.Name {
		want = d.Manifest.Edges
	}
	if o.rows != o.entry.Rows || o.rows != want {
		o.rec.add(Violation{File: o.entry.Name, Rule: RuleRowCount, Value: fmt.Sprint(o.rows),
			Message: fmt.Sprintf("%s says %d rows for the file and %d for the table", ManifestFile, o.entry.Rows, want)})
	}
}

// conclude puts the outcomes together in the order of DataFiles, so that the
// report does not depend on which job was faster.
func (v *validator) conclude(d *Dataset) error {
	all := newRecorder(v.options.MaxSamples)
	var outcomes []*outcome
	for _, name := range DataFiles {
		o := v.outcomes[name]
		if o == nil {
			continue
		}
		if err := cmp.Or(o.err, o.hashed); err != nil {
			return err
		}
		all.merge(o.bytes)
		all.merge(o.rec)
		outcomes = append(outcomes, o)
	}
	differing, err := v.compareFormats(d)
	if err != nil {
		return err
	}
	all.merge(differing)
	v.summarise(outcomes, all)
	return nil
}

// bytes compares a file's size and SHA-256 with the manifest.
func (v *validator) bytes(d *Dataset, o *outcome) error {
	path, entry := d.Path(o.entry.Name), o.entry
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.CopyBuffer(sum, cancellable{v.ctx, f}, make([]byte, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if size != entry.Bytes {
		o.bytes.add(Violation{File: entry.Name, Rule: RuleFile, Value: fmt.Sprint(size), Message: fmt.Sprintf("%s says %d bytes", ManifestFile, entry.Bytes)})
	} else if got := hex.EncodeToString(sum.Sum(nil)); got != entry.SHA256 {
		o.bytes.add(Violation{File: entry.Name, Rule: RuleFile, Value: got, Message: fmt.Sprintf("%s says SHA-256 %s", ManifestFile, entry.SHA256)})
	}
	return nil
}
