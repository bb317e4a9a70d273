package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type logFile struct {
	Bucket        string `json:"s3Bucket"`
	Object        string `json:"s3Object"`
	Hash          string `json:"hashValue"`
	HashAlgorithm string `json:"hashAlgorithm"`
	Newest        string `json:"newestEventTime"`
	Oldest        string `json:"oldestEventTime"`
}

type digest struct {
	Account           string    `json:"awsAccountId"`
	Start             string    `json:"digestStartTime"`
	End               string    `json:"digestEndTime"`
	Bucket            string    `json:"digestS3Bucket"`
	Object            string    `json:"digestS3Object"`
	Fingerprint       string    `json:"digestPublicKeyFingerprint"`
	Algorithm         string    `json:"digestSignatureAlgorithm"`
	PreviousBucket    *string   `json:"previousDigestS3Bucket"`
	PreviousObject    *string   `json:"previousDigestS3Object"`
	PreviousHash      *string   `json:"previousDigestHashValue"`
	PreviousAlgorithm *string   `json:"previousDigestHashAlgorithm"`
	PreviousSignature *string   `json:"previousDigestSignature"`
	LogFiles          []logFile `json:"logFiles"`
}

// Flush delivers what was recorded to each trail that logs, and writes the
// digests that are due, or all of them.
func (s *Service) Flush(ctx context.Context, digests bool) error {
	s.flush.Lock()
	defer s.flush.Unlock()
	if err := s.save(); err != nil {
		return fmt.Errorf("save events: %w", err)
	}
	var all []state.Entry[trail]
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		all, err = trails.List(tx, "", "", 0)
		return err
	})
	for _, e := range all {
		if e.Value.Logging || digests && len(e.Value.Undigested) > 0 {
			err = errors.Join(err, s.flushTrail(ctx, e.Value, digests))
		}
	}
	return err
}

func (s *Service) flushTrail(ctx context.Context, t trail, digests bool) error {
	now := s.cfg.Clock()
	var failed error
	if t.Logging { // one that was stopped may lack its last digest
		failed = s.deliver(ctx, &t, now)
	}
	since := t.Digested
	if since == nil {
		since = t.Started
	}
	if failed == nil && t.Validate && (digests || since != nil && now.Sub(*since) >= s.cfg.Digest) {
		failed = s.digest(ctx, &t, now)
	}
	t.DeliveryError = ""
	if failed != nil {
		t.DeliveryError = wire.AsError(failed).Code
	}
	return errors.Join(failed, s.keep(t))
}

// keep makes durable what a delivery changes in a trail.
func (s *Service) keep(t trail) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		have, err := trails.Get(tx, t.key())
		if err != nil {
			return nil //nolint:nilerr // deleted meanwhile
		}
		have.Delivered, have.Digested, have.DeliveryError, have.Cursor, have.Undigested = t.Delivered, t.Digested, t.DeliveryError, t.Cursor, t.Undigested
		have.LastObject, have.LastHash, have.LastSignature = t.LastObject, t.LastHash, t.LastSignature
		have.Intended, have.IntendedDigest = t.Intended, t.IntendedDigest
		return trails.Put(tx, t.key(), have)
	})
}

// maxRecords is how many records one log file has.
const maxRecords = 5000

// deliver writes the events after the trail's cursor to its bucket, by region.
func (s *Service) deliver(ctx context.Context, t *trail, now time.Time) error {
	for {
		var found []state.Entry[stored]
		err := s.cfg.Store.View(func(tx state.Tx) (err error) {
			found, err = events.List(tx, "", t.Cursor, maxRecords)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		regions := map[string][]record{}
		for _, e := range found {
			if t.selects(e.Value) {
				regions[e.Value.Region] = append(regions[e.Value.Region], e.Value.Record)
			}
		}
		if err := s.writeLogs(ctx, t, regions, now); err != nil {
			return err
		}
		if err := s.tell(ctx, *t, regions); err != nil {
			return err
		}
		t.Cursor, t.Intended = found[len(found)-1].Key, nil
	}
}

// writeLogs writes a log file a region, under names that are kept before.
func (s *Service) writeLogs(ctx context.Context, t *trail, regions map[string][]record, now time.Time) error {
	if len(regions) == 0 {
		return nil
	}
	names := map[string]string{}
	for region := range regions {
		if names[region] = t.Intended[region]; names[region] == "" {
			id, err := newID()
			if err != nil {
				return err
			}
			names[region] = t.path("CloudTrail", region, now) + fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", t.Account, region,
				now.UTC().Format("20060102T1504Z"), strings.ReplaceAll(id, "-", "")[:16])
		}
	}
	t.Intended = names
	if err := s.keep(*t); err != nil {
		return fmt.Errorf("note log files: %w", err)
	}
	var files []logFile
	for region, records := range regions {
		f, err := s.writeLog(ctx, *t, names[region], records)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	t.Undigested = append(t.Undigested, files...)
	t.Delivered = &now
	return nil
}

func (t trail) path(kind, region string, now time.Time) string {
	path := "AWSLogs/" + t.Account + "/" + kind + "/" + region + "/" + now.UTC().Format("2006/01/02/")
	if t.Prefix != "" {
		path = strings.TrimSuffix(t.Prefix, "/") + "/" + path
	}
	return path
}

func (s *Service) writeLog(ctx context.Context, t trail, object string, records []record) (logFile, error) {
	body, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return logFile{}, err
	}
	f := logFile{t.Bucket, object, hash(body), "SHA-256", records[0].EventTime, records[0].EventTime}
	for _, r := range records {
		f.Newest, f.Oldest = max(f.Newest, r.EventTime), min(f.Oldest, r.EventTime)
	}
	return f, s.put(ctx, t, object, body, nil)
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// put writes a compressed object as the service, for the trail.
func (s *Service) put(ctx context.Context, t trail, object string, body []byte, metadata map[string]string) error {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := s.cfg.Bucket.Put(ctx, t.service(), Object{t.Bucket, object, b.Bytes(), metadata, t.Key}); err != nil {
		return fmt.Errorf("deliver %s to %s: %w", object, t.Bucket, err)
	}
	return nil
}

// digest writes a digest of the log files since the last one, and signs it.
func (s *Service) digest(ctx context.Context, t *trail, now time.Time) error {
	start := t.Digested
	if start == nil {
		start = t.Started
	}
	// The names of digests have seconds, and the chain is in their order: two in
	// a second, or after the clock was set back, are a second apart.
	if t.Digested != nil && !now.Truncate(time.Second).After(*t.Digested) {
		if len(t.Undigested) == 0 {
			return nil
		}
		now = t.Digested.Truncate(time.Second).Add(time.Second)
	}
	if t.IntendedDigest != nil {
		now = *t.IntendedDigest
	}
	t.IntendedDigest = &now
	if err := s.keep(*t); err != nil {
		return fmt.Errorf("note digest: %w", err)
	}
	object := t.path("CloudTrail-Digest", t.Region, now) + fmt.Sprintf("%s_CloudTrail-Digest_%s_%s_%s_%s.json.gz", t.Account, t.Region,
		t.Name, t.Region, now.UTC().Format("20060102T150405Z"))
	key, err := s.signer.get()
	if err != nil {
		return err
	}
	d := digest{Account: t.Account, Start: start.UTC().Format(timeLayout), End: now.UTC().Format(timeLayout), Bucket: t.Bucket, Object: object,
		Fingerprint: fingerprint(&key.PublicKey), Algorithm: "SHA256withRSA", LogFiles: append([]logFile{}, t.Undigested...)}
	if t.LastObject != "" {
		algorithm := "SHA-256"
		d.PreviousBucket, d.PreviousObject, d.PreviousHash = &t.Bucket, &t.LastObject, &t.LastHash
		d.PreviousAlgorithm, d.PreviousSignature = &algorithm, &t.LastSignature
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(d.toSign(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("sign digest: %w", err)
	}
	text := hex.EncodeToString(signature)
	if err := s.put(ctx, *t, object, body, map[string]string{"signature": text, "signature-algorithm": "SHA256withRSA"}); err != nil {
		return err
	}
	t.Undigested, t.LastObject, t.LastHash, t.LastSignature, t.Digested = nil, object, hash(body), text, &now
	t.IntendedDigest = nil
	return nil
}

// toSign is the text that a digest's signature is of.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func (d digest) toSign(body []byte) []byte {
	previous := "null"
	if d.PreviousSignature != nil {
		previous = *d.PreviousSignature
	}
	return []byte(d.End + "\n" + d.Bucket + "/" + d.Object + "\n" + hash(body) + "\n" + previous)
}

// service is CloudTrail itself, acting for the trail.
func (t trail) service() wire.Caller {
	return wire.Caller{Account: t.Account, Region: t.Region, ARN: t.arn(), Service: "cloudtrail.amazonaws.com"}
}

// checkBucket refuses a trail whose bucket would not take its files.
func (s *Service) checkBucket(ctx context.Context, t trail) error {
	err := s.cfg.Bucket.Check(ctx, t.service(), t.Bucket, t.path("CloudTrail", t.Region, s.cfg.Clock()))
	switch {
	case wire.IsCode(err, "NoSuchBucket"):
		return wire.Errorf("S3BucketDoesNotExistException", "S3 bucket %s does not exist!", t.Bucket).Because(err)
	case err != nil:
		return wire.Errorf("InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: %s", t.Bucket).Because(err)
	}
	return nil
}
