package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"engage/internal/localaws/s3/accesslog"
	"engage/internal/localaws/wire"
)

// logger is the principal that delivers access logs. What it does is in no
// log: a bucket that logs to itself would fill itself for ever.
const logger = "logging.s3.amazonaws.com"

const (
	// logEvery is how long a line waits for others at most. AWS delivers
	// within a few hours.
	logEvery = 5 * time.Minute
	// logTick is how often that is looked at.
	logTick = 5 * time.Second
	// spoolDir is beside the accounts' directories.
	spoolDir = "access-logs"
)

// checkLogging takes a configuration whose target takes logs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
func checkLogging(r *request, bk Bucket, doc []byte) ([]byte, error) {
	to, err := accesslog.Parse(doc)
	if err != nil {
		return nil, malformedXML()
	}
	if to == nil {
		return doc, nil
	}
	if len(to.Grants) > 0 {
		return nil, noACL()
	}
	target, err := r.find(to.Bucket)
	switch {
	case err != nil:
		return nil, noLogTarget(to.Bucket, "The target bucket for logging does not exist").Because(err)
	case target.Account != bk.Account:
		return nil, noLogTarget(to.Bucket, "The owner for the bucket to be logged and the target bucket must be the same.")
	case target.Region != bk.Region:
		return nil, wire.StatusErrorf(http.StatusForbidden, "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ").
			With("SourceBucketLocation", bk.Region).With("TargetBucketLocation", target.Region)
	}
	now := r.cfg.Clock()
	as := bk.logger()
	if err := r.authorize(r.ctx, as, "PutObject", r.accessOf(as, "s3:PutObject", to.Bucket, to.Key(bk.source(), now, now, newID()))); err != nil {
		return nil, noLogTarget(to.Bucket, "You must either provide the necessary permissions to the logging service using a bucket policy or give the log-delivery group WRITE and READ_ACP permissions to the target bucket").Because(err)
	}
	return doc, nil
}

func noLogTarget(bucketName, why string) *wire.Error {
	return wire.Errorf("InvalidTargetBucketForLogging", "%s", why).With("TargetBucket", bucketName)
}

// logger acts for the bucket, as the conditions of its target's policy see it.
func (bk Bucket) logger() wire.Caller {
	return wire.Caller{Account: bk.Account, Region: bk.Region, ARN: "arn:aws:s3:::" + bk.Name, Service: logger}
}

func (bk Bucket) source() accesslog.Source {
	return accesslog.Source{Account: bk.Account, Region: bk.Region, Bucket: bk.Name}
}

// logged returns a bucket and where its log goes, false when it has none.
func (s *Service) logged(name string) (bk Bucket, to accesslog.Target, ok bool) {
	if name == "" {
		return bk, to, false
	}
	bk, err := s.find(name)
	if err != nil || bk.Settings["logging"] == "" {
		return bk, to, false
	}
	t, err := accesslog.Parse([]byte(bk.Settings["logging"]))
	if err != nil || t == nil {
		return bk, to, false
	}
	return bk, *t, true
}

// note keeps entries of one bucket's log, if it has one.
func (s *Service) note(bucketName string, entries ...accesslog.Entry) {
	bk, to, ok := s.logged(bucketName)
	if !ok || len(entries) == 0 {
		return
	}
	lines := make([]accesslog.Line, len(entries))
	for i, e := range entries {
		e.Owner, e.Bucket = ownerOf(bk.Account).ID, bk.Name
		lines[i] = accesslog.Line{Target: to, Source: bk.source(), Time: e.Time, Text: e.Line()}
	}
	full, err := s.spool.Add(lines...)
	if err != nil {
		s.logFailed.add(err)
	}
	if full || err != nil {
		select {
		case s.logWake <- struct{}{}:
		default: // it will wake, and then finds this one too
		}
	}
}

// runLogs delivers access logs until the context ends; Close delivers the rest.
func (s *Service) runLogs(ctx context.Context, report func(error)) {
	tick := time.NewTicker(logTick)
	defer tick.Stop()
	for {
		if err := s.DeliverLogs(context.WithoutCancel(ctx)); err != nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.logWake:
		case <-tick.C:
		}
	}
}

// DeliverLogs puts the lines of access logs that have waited long enough into
// their target buckets. A line may be delivered twice, as on AWS, when a
// delivery fails in the middle; one that a target refuses is lost, and the
// refusal is in the request log.
func (s *Service) DeliverLogs(ctx context.Context) error {
	return s.deliverLogs(ctx, s.cfg.Clock().Add(-logEvery))
}

// deliverLogs delivers the files whose first line came before a time.
func (s *Service) deliverLogs(ctx context.Context, before time.Time) error {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	errs := []error{s.logFailed.take(), s.spool.Seal(before)}
	files, err := s.spool.Sealed()
	errs = append(errs, err)
	for _, path := range files {
		if err := s.deliverFile(ctx, path); err != nil {
			errs = append(errs, fmt.Errorf("deliver access logs: %w", err))
			break // the file is tried again, and the others after it
		}
	}
	return errors.Join(errs...)
}

func (s *Service) deliverFile(ctx context.Context, path string) error {
	batches, err := accesslog.Read(path)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err := s.deliverBatch(ctx, b); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

func (s *Service) deliverBatch(ctx context.Context, b accesslog.Batch) error {
	source := Bucket{Name: b.Source.Bucket, Account: b.Source.Account, Region: b.Source.Region}
	unique := strings.ToUpper(newID()[:16])
	key := b.Target.Key(b.Source, b.Day, s.cfg.Clock(), unique)
	_, err := s.Put(ctx, source.logger(), b.Target.Bucket, key, http.Header{"Content-Type": {"text/plain"}}, bytes.NewReader(b.Text))
	if wire.IsAccessDenied(err) || wire.IsCode(err, "NoSuchBucket") {
		s.cfg.Refused("s3", "PutObject", source.logger(), err)
		return nil
	}
	return err
}

func (b blobs) spoolDir() string { return filepath.Join(b.root, spoolDir) }
