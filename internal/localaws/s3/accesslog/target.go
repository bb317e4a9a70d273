package accesslog

import (
	"encoding/xml"
	"errors"
	"time"
)

// Target is where the log of a bucket goes.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_LoggingEnabled.html
type Target struct {
	Bucket string     `xml:"TargetBucket"`
	Prefix string     `xml:"TargetPrefix"`
	Grants []struct{} `xml:"TargetGrants>Grant" json:"-"`
	Format *KeyFormat `xml:"TargetObjectKeyFormat"`
}

// KeyFormat is how the objects of a log are named. Without one it is the simple format.
type KeyFormat struct {
	Simple      *struct{}    `xml:"SimplePrefix"`
	Partitioned *Partitioned `xml:"PartitionedPrefix"`
}

// Partitioned names objects by account, region, bucket and day.
type Partitioned struct {
	DateSource string `xml:"PartitionDateSource"` // EventTime or DeliveryTime; the default is EventTime
}

// ErrMalformed says that a document is no configuration of a log.
var ErrMalformed = errors.New("not a BucketLoggingStatus")

// Parse reads a BucketLoggingStatus. A bucket that logs nothing has no target.
// Errors: ErrMalformed.
func Parse(doc []byte) (*Target, error) {
	var status struct {
		Enabled *Target `xml:"LoggingEnabled"`
	}
	if xml.Unmarshal(doc, &status) != nil || status.Enabled != nil && !status.Enabled.valid() {
		return nil, ErrMalformed
	}
	return status.Enabled, nil
}

func (t *Target) valid() bool {
	if t.Bucket == "" {
		return false
	}
	if t.Format == nil {
		return true
	}
	if (t.Format.Simple == nil) == (t.Format.Partitioned == nil) {
		return false
	}
	if p := t.Format.Partitioned; p != nil {
		return p.DateSource == "" || p.DateSource == "EventTime" || p.DateSource == "DeliveryTime"
	}
	return true
}

// Source is the bucket that a log is of.
type Source struct{ Account, Region, Bucket string }

// byDay reports whether each object has the requests of one day alone.
func (t Target) byDay() bool {
	return t.Format != nil && t.Format.Partitioned != nil && t.Format.Partitioned.DateSource != "DeliveryTime"
}

// Key names the object of lines that were written on a day and are delivered now.
// unique tells it from others of the same second.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-access-logging-overview
func (t Target) Key(s Source, day, now time.Time, unique string) string {
	when := now.UTC()
	if t.byDay() {
		when = day.UTC().Truncate(24 * time.Hour)
	}
	key := t.Prefix
	if t.Format != nil && t.Format.Partitioned != nil {
		key += s.Account + "/" + s.Region + "/" + s.Bucket + when.Format("/2006/01/02/")
	}
	return key + when.Format("2006-01-02-15-04-05-") + unique
}
