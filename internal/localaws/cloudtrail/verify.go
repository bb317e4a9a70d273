package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"engage/internal/localaws/state"
)

// Reader reads the files of a bucket.
type Reader interface {
	List(ctx context.Context, bucket, prefix string) (keys []string, err error)
	Get(ctx context.Context, bucket, key string) (Object, error)
}

// Location is where a trail's files are.
type Location struct {
	Bucket, Prefix, Account string
	// LastDigest is the key of the newest digest, when the trail's state tells
	// it: without it nobody can see that the newest digests were removed.
	LastDigest string
	// Trail and Region name the trail whose chain is verified, where others
	// deliver to the same place. Without them all digests are one chain.
	Trail, Region string
	// Unvouched says that a trail without digests delivers here too, so that
	// a log file that no digest names is no finding.
	Unvouched bool
}

// owns reports whether a digest is of the trail's chain, by its name:
// ACCOUNT_CloudTrail-Digest_REGION_TRAIL_REGION_TIME.json.gz.
func (at Location) owns(key string) bool {
	if at.Trail == "" {
		return true
	}
	name := key[strings.LastIndexByte(key, '/')+1:]
	time, ok := strings.CutPrefix(name, at.Account+"_CloudTrail-Digest_"+at.Region+"_"+at.Trail+"_"+at.Region+"_")
	return ok && !strings.Contains(time, "_")
}

// Finding is a file that is not as it was delivered.
type Finding struct {
	Key     string `json:"key"`
	Problem string `json:"problem"`
}

// Report is what a verification found.
type Report struct {
	Digests  int       `json:"digests"`
	LogFiles int       `json:"logFiles"`
	Findings []Finding `json:"findings"`
}

// fingerprint names a public key.
func fingerprint(key *rsa.PublicKey) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(key))
	return hex.EncodeToString(sum[:16])
}

type verifier struct {
	reader   Reader
	key      *rsa.PublicKey
	at       Location
	report   Report
	vouched  map[string]bool // log files that a digest names
	previous string          // key, hash and signature of the digest before
	hash     string
	sign     string
}

// Verify checks signatures and chain of the digests, and the log files that
// they name, and finds log files that none names but that are not newer than
// the last digest. An error means that the files could not be read at all.
func Verify(ctx context.Context, reader Reader, key *rsa.PublicKey, at Location) (Report, error) {
	v := &verifier{reader: reader, key: key, at: at, vouched: map[string]bool{}}
	base := "AWSLogs/" + at.Account + "/"
	if at.Prefix != "" {
		base = strings.TrimSuffix(at.Prefix, "/") + "/" + base
	}
	digests, err := reader.List(ctx, at.Bucket, base+"CloudTrail-Digest/")
	if err != nil {
		return v.report, fmt.Errorf("list digests: %w", err)
	}
	logs, err := reader.List(ctx, at.Bucket, base+"CloudTrail/")
	if err != nil {
		return v.report, fmt.Errorf("list log files: %w", err)
	}
	slices.Sort(digests) // by time, which their names have
	last := ""
	for _, key := range digests {
		if !at.owns(key) {
			v.vouch(ctx, key)
			continue
		}
		if last, err = v.digest(ctx, key); err != nil {
			return v.report, err
		}
	}
	if at.LastDigest != "" && !slices.Contains(digests, at.LastDigest) {
		v.find(at.LastDigest, "the newest digest is missing")
	}
	if !at.Unvouched {
		v.added(logs, last)
	}
	return v.report, nil
}

func (v *verifier) find(key, problem string, args ...any) {
	v.report.Findings = append(v.report.Findings, Finding{key, fmt.Sprintf(problem, args...)})
}

// content returns an object uncompressed, false when it was found damaged or missing.
func (v *verifier) content(ctx context.Context, key string) (Object, []byte, bool) {
	o, err := v.reader.Get(ctx, v.at.Bucket, key)
	if err != nil {
		v.find(key, "the file is missing: %v", err)
		return o, nil, false
	}
	r, err := gzip.NewReader(bytes.NewReader(o.Body))
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(r); err == nil {
			return o, body, true
		}
	}
	v.find(key, "the file was changed: %v", err)
	return o, nil, false
}

// digest checks one digest and its log files, and returns when it ends.
func (v *verifier) digest(ctx context.Context, key string) (end string, err error) {
	v.report.Digests++
	o, body, ok := v.content(ctx, key)
	var d digest
	if !ok || json.Unmarshal(body, &d) != nil {
		if ok {
			v.find(key, "the digest was changed: it is not valid JSON")
		}
		v.previous, v.hash, v.sign = key, "", ""
		return "", ctx.Err()
	}
	if !v.signed(o, d, body) {
		v.find(key, "the digest was changed: its signature is wrong")
	}
	if d.Object != key {
		v.find(key, "the digest was moved from %s", d.Object)
	}
	v.chain(key, d)
	v.previous, v.hash, v.sign = key, hash(body), o.Metadata["signature"]
	for _, f := range d.LogFiles {
		v.logFile(ctx, f)
	}
	return d.End, ctx.Err()
}

func (v *verifier) signed(o Object, d digest, body []byte) bool {
	sum := sha256.Sum256(d.toSign(body))
	signature, err := hex.DecodeString(o.Metadata["signature"])
	return err == nil && rsa.VerifyPKCS1v15(v.key, crypto.SHA256, sum[:], signature) == nil
}

// vouch notes the log files that a digest of another trail names. What is
// wrong with it is that trail's finding.
func (v *verifier) vouch(ctx context.Context, key string) {
	other := &verifier{reader: v.reader, key: v.key, at: v.at}
	o, body, ok := other.content(ctx, key)
	var d digest
	if !ok || json.Unmarshal(body, &d) != nil || !v.signed(o, d, body) {
		return
	}
	for _, f := range d.LogFiles {
		v.vouched[f.Object] = true
	}
}

// chain compares what the digest says of the one before with that one.
func (v *verifier) chain(key string, d digest) {
	switch {
	case d.PreviousObject == nil && v.previous != "":
		v.find(key, "a new chain begins here")
	case d.PreviousObject == nil:
	case *d.PreviousObject != v.previous:
		v.find(*d.PreviousObject, "the digest before %s is missing", key)
	case v.hash != "" && (d.PreviousHash == nil || *d.PreviousHash != v.hash || d.PreviousSignature == nil || *d.PreviousSignature != v.sign):
		v.find(v.previous, "the digest was changed: the next one has another hash of it")
	}
}

func (v *verifier) logFile(ctx context.Context, f logFile) {
	v.report.LogFiles++
	v.vouched[f.Object] = true
	if _, body, ok := v.content(ctx, f.Object); ok && hash(body) != f.Hash {
		v.find(f.Object, "the log file was changed: its hash is not the one in its digest")
	}
}

// added finds log files that no digest names although one should: those from
// before the minute in which the last digest ended.
func (v *verifier) added(logs []string, end string) {
	minute := strings.NewReplacer("-", "", ":", "").Replace(end)
	if len(minute) < 13 {
		return
	}
	for _, key := range logs {
		parts := strings.Split(key[strings.LastIndex(key, "/")+1:], "_")
		if !v.vouched[key] && (len(parts) != 5 || parts[3] < minute[:13]) {
			v.find(key, "the log file was added: no digest names it")
		}
	}
}

// LastDigest returns the key of the newest digest of a trail, "" when there is none.
func (s *Service) LastDigest(account, region, name string) string {
	var t trail
	_ = s.cfg.Store.View(func(tx state.Tx) (err error) { // no trail, no digest
		t, err = trails.Get(tx, state.Key(account, region, name))
		return err
	})
	return t.LastObject
}
