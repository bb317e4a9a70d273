package interp

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/value"
)

// maxManifest bounds a JSON document or manifest that is read as a whole, in bytes.
const maxManifest = 1 << 30

// errEnough ends a reading when MaxItems is reached.
var errEnough = errors.New("enough items")

// readItems reads the items of a distributed Map from S3.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
func (f *frame) readItems(ctx context.Context, spec *asl.ReaderSpec, most int64, input any) ([]any, error) {
	where, err := f.location(spec.Parameters, input)
	if err != nil {
		return nil, err
	}
	if most < 0 {
		return nil, &Failure{Name: asl.ErrItemReader, Cause: "field MaxItems must be positive"}
	}
	if f.Objects == nil {
		return nil, &Failure{Name: asl.ErrItemReader, Cause: "There is no object store to read items from"}
	}
	items := []any{}
	r := itemReader{objects: f.Objects, spec: spec, where: where, add: func(item any) error {
		items = append(items, item)
		if most > 0 && int64(len(items)) >= most {
			return errEnough
		}
		return nil
	}}
	f.waiting(func() { err = r.read(ctx) })
	var failure *Failure
	if errors.As(err, &failure) {
		return nil, failure
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, &Failure{Name: asl.ErrItemReader, Cause: err.Error()}
	}
	return items, nil
}

// Faults of what is read, in AWS's words.
var (
	errNotList        = &Failure{Name: asl.ErrItemReader, Cause: "Attempting to map over non-iterable node."}
	errRepeatedHeader = &Failure{Name: asl.ErrItemReader, Cause: "CSV headers cannot contain duplicates."}
)

type itemReader struct {
	objects Objects
	spec    *asl.ReaderSpec
	where   *value.Object
	add     func(any) error
}

func (r *itemReader) read(ctx context.Context) error {
	bucket := textField(r.where, "Bucket")
	if bucket == "" {
		return errors.New("the field Bucket is missing in the reader's Parameters")
	}
	if r.spec.Resource.Action == "listObjectsV2" {
		return r.objects.List(ctx, bucket, textField(r.where, "Prefix"), func(o *value.Object) error { return r.add(o) })
	}
	key := textField(r.where, "Key")
	body, err := r.objects.Get(ctx, bucket, key)
	if err != nil {
		return fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	defer body.Close()
	if err := r.parse(ctx, body); err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("read s3://%s/%s as %s: %w", bucket, key, r.spec.InputType, err)
	}
	return nil
}

func (r *itemReader) parse(ctx context.Context, body io.Reader) error {
	switch r.spec.InputType {
	case "CSV":
		return r.csv(body, r.spec.CSVHeaders)
	case "JSONL":
		return r.lines(body)
	case "MANIFEST":
		return r.manifest(ctx, body)
	}
	v, err := decodeAll(body)
	if err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		return errNotList
	}
	for _, item := range list {
		if err := r.add(item); err != nil {
			return err
		}
	}
	return nil
}

func decodeAll(body io.Reader) (any, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxManifest+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxManifest {
		return nil, fmt.Errorf("the document is larger than %d bytes", maxManifest)
	}
	return value.Decode(text)
}

// csv makes an object of each row: every value is a string.
func (r *itemReader) csv(body io.Reader, header []string) error {
	rows := csv.NewReader(skipMark(body))
	rows.Comma, rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = r.spec.Delimiter, -1, true, true
	if repeats(header) {
		return errRepeatedHeader
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header == nil {
			if header = append([]string{}, row...); repeats(header) {
				return errRepeatedHeader
			}
			continue
		}
		if err := r.add(asItem(header, row)); err != nil {
			return err
		}
	}
}

func repeats(header []string) bool {
	sorted := slices.Sorted(slices.Values(header))
	return len(slices.Compact(sorted)) < len(header)
}

// asItem pairs a row with the header, in the order in which AWS has the fields.
func asItem(header, row []string) *value.Object {
	item := value.NewObject(len(header))
	for _, i := range value.HashOrder(header) {
		cell := ""
		if i < len(row) {
			cell = row[i]
		}
		item.Set(header[i], cell)
	}
	return item
}

// skipMark drops a byte order mark.
func skipMark(body io.Reader) io.Reader {
	b := bufio.NewReader(body)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	return b
}

func (r *itemReader) lines(body io.Reader) error {
	b := bufio.NewReader(body)
	for n := 1; ; n++ {
		line, err := b.ReadString('\n')
		if strings.TrimSpace(line) != "" {
			v, bad := value.Decode([]byte(line))
			if bad != nil {
				return fmt.Errorf("line %d: %w", n, bad)
			}
			if bad = r.add(v); bad != nil {
				return bad
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// manifest reads an S3 Inventory manifest: the objects that its gzipped CSV files list.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
func (r *itemReader) manifest(ctx context.Context, body io.Reader) error {
	v, err := decodeAll(body)
	if err != nil {
		return err
	}
	m, ok := v.(*value.Object)
	if !ok {
		return errors.New("the manifest is not an object")
	}
	if format := textField(m, "fileFormat"); format != "CSV" {
		return fmt.Errorf("inventories in the format '%s' are not implemented: CSV is", format)
	}
	var header []string
	for _, name := range strings.Split(textField(m, "fileSchema"), ",") {
		header = append(header, strings.TrimSpace(name))
	}
	bucket := strings.TrimPrefix(textField(m, "destinationBucket"), "arn:aws:s3:::")
	files, _ := m.Get("files")
	list, ok := files.([]any)
	if !ok {
		return errors.New("the manifest has no array 'files'")
	}
	for _, e := range list {
		file, ok := e.(*value.Object)
		if !ok {
			return errors.New("an element of 'files' is not an object")
		}
		if err := r.inventory(ctx, bucket, textField(file, "key"), header); err != nil {
			return err
		}
	}
	return nil
}

func (r *itemReader) inventory(ctx context.Context, bucket, key string, header []string) error {
	body, err := r.objects.Get(ctx, bucket, key)
	if err != nil {
		return fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	defer body.Close()
	b := bufio.NewReader(body)
	var text io.Reader = b
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(b)
		if err != nil {
			return fmt.Errorf("unzip s3://%s/%s: %w", bucket, key, err)
		}
		text = unzipped
	}
	return r.csv(text, header)
}
