package s3

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// Lock keeps a version from being deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
type Lock struct {
	Mode  string `json:"m,omitempty"` // governance, compliance or ""
	Until int64  `json:"u,omitempty"` // Unix milliseconds
	Hold  string `json:"h,omitempty"` // legal hold: ON or OFF; "" when it was never set
}

const (
	governance = "GOVERNANCE"
	compliance = "COMPLIANCE"
)

var lockModes = []string{governance, compliance}

// retained reports whether the retention holds.
func (l Lock) retained(now time.Time) bool { return l.Mode != "" && now.UnixMilli() < l.Until }

// forbids refuses the deletion of a version that is locked. Governance, and
// nothing else, gives way to a caller who may bypass it and says so.
func (l Lock) forbids(now time.Time, bypass bool) error {
	if l.Hold == "ON" || l.retained(now) && !(bypass && l.Mode == governance) {
		return errLocked
	}
	return nil
}

var errLocked = wire.AccessDenied("Access Denied because object protected by object lock.")

// forbidsChange refuses a retention that is weaker than the one that holds.
func (l Lock) forbidsChange(to Lock, now time.Time, bypass bool) error {
	weaker := to.Mode == "" || to.Until < l.Until || l.Mode == compliance && to.Mode != compliance
	if l.retained(now) && weaker && !(bypass && l.Mode == governance) {
		return errLocked
	}
	return nil
}

// bypasses reports whether the caller asks to bypass governance. That it may
// is checked before.
func bypasses(h http.Header) bool {
	return strings.EqualFold(h.Get("X-Amz-Bypass-Governance-Retention"), "true")
}

// lockOf reads the lock of an object to be from its headers.
func lockOf(h http.Header, bk Bucket, now time.Time) (l Lock, err error) {
	mode, until, hold := h.Get("X-Amz-Object-Lock-Mode"), h.Get("X-Amz-Object-Lock-Retain-Until-Date"), h.Get("X-Amz-Object-Lock-Legal-Hold")
	if mode == "" && until == "" && hold == "" {
		return l, nil
	}
	switch {
	case bk.Settings["object-lock"] == "":
		return l, noLockConfiguration()
	case (mode == "") != (until == ""):
		return l, invalidArgument("x-amz-object-lock-retain-until-date", until, "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode != "" && !slices.Contains(lockModes, mode):
		return l, invalidArgument("x-amz-object-lock-mode", mode, "Unknown wormMode directive.")
	case hold != "" && hold != "ON" && hold != "OFF":
		return l, invalidArgument("x-amz-object-lock-legal-hold", hold, "Legal Hold must be either of 'ON' or 'OFF'")
	}
	l = Lock{Mode: mode, Hold: hold}
	if until != "" {
		l.Until, err = retainUntil(until, now)
	}
	return l, err
}

func noLockConfiguration() error {
	return wire.Errorf("InvalidRequest", "Bucket is missing Object Lock Configuration")
}

func retainUntil(text string, now time.Time) (int64, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, invalidArgument("x-amz-object-lock-retain-until-date", text, "The retain until date must be provided in ISO 8601 format")
	}
	if !t.After(now) {
		return 0, invalidArgument("x-amz-object-lock-retain-until-date", text, "The retain until date must be in the future!")
	}
	return t.UnixMilli(), nil
}

// lockConfiguration is a bucket's setting.
type lockConfiguration struct {
	Enabled string `xml:"ObjectLockEnabled"`
	Rule    *struct {
		Retention *struct {
			Mode        string
			Days, Years *int
		} `xml:"DefaultRetention"`
	}
}

func parseLockConfiguration(doc []byte) (c lockConfiguration, err error) {
	if xml.Unmarshal(doc, &c) != nil || c.Enabled != "Enabled" {
		return c, malformedXML()
	}
	if c.Rule == nil {
		return c, nil
	}
	d := c.Rule.Retention
	if d == nil || !slices.Contains(lockModes, d.Mode) || (d.Days == nil) == (d.Years == nil) {
		return c, malformedXML()
	}
	if d.Days != nil && *d.Days <= 0 || d.Years != nil && *d.Years <= 0 {
		return c, wire.Errorf("InvalidArgument", "Default retention period must be a positive integer value.")
	}
	return c, nil
}

// lockByDefault gives a new version the bucket's retention, if it has none of its own.
func (o *Object) lockByDefault(bk Bucket) error {
	doc := bk.Settings["object-lock"]
	if doc == "" || o.Lock.Mode != "" || o.marker() {
		return nil
	}
	c, err := parseLockConfiguration([]byte(doc))
	if err != nil || c.Rule == nil {
		return err
	}
	until := o.modified()
	if d := c.Rule.Retention; d.Days != nil {
		until = until.AddDate(0, 0, *d.Days)
	} else {
		until = until.AddDate(*d.Years, 0, 0)
	}
	o.Lock.Mode, o.Lock.Until = c.Rule.Retention.Mode, until.UnixMilli()
	return nil
}

func (r *request) lockHeaders(l Lock) {
	r.setHeader("X-Amz-Object-Lock-Mode", l.Mode)
	r.setHeader("X-Amz-Object-Lock-Legal-Hold", l.Hold)
	if l.Mode != "" {
		r.setHeader("X-Amz-Object-Lock-Retain-Until-Date", isoTime(time.UnixMilli(l.Until)))
	}
}

type retention struct {
	XMLName         xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
	Mode            string   `xml:",omitempty"`
	RetainUntilDate string   `xml:",omitempty"`
}

type legalHold struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
	Status  string
}

// lockable returns the version that the request names, in a bucket with object lock.
func (r *request) lockable() (Object, error) {
	bk, o, err := r.lookup(r.bucket, r.key, r.query.Get("versionId"))
	if err == nil && bk.Settings["object-lock"] == "" {
		err = noLockConfiguration()
	}
	return o, err
}

func notLocked() error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

func getRetention(r *request) error {
	o, err := r.lockable()
	if err != nil {
		return err
	}
	if o.Lock.Mode == "" {
		return notLocked()
	}
	return r.writeXML(retention{Mode: o.Lock.Mode, RetainUntilDate: isoTime(time.UnixMilli(o.Lock.Until))})
}

func getLegalHold(r *request) error {
	o, err := r.lockable()
	if err != nil {
		return err
	}
	if o.Lock.Hold == "" {
		return notLocked()
	}
	return r.writeXML(legalHold{Status: o.Lock.Hold})
}

func putRetention(r *request) error {
	var in struct{ Mode, RetainUntilDate string }
	if err := r.readXML(&in); err != nil {
		return err
	}
	if (in.Mode == "") != (in.RetainUntilDate == "") || in.Mode != "" && !slices.Contains(lockModes, in.Mode) {
		return malformedXML()
	}
	to := Lock{Mode: in.Mode}
	now := r.cfg.Clock()
	if in.Mode != "" {
		var err error
		if to.Until, err = retainUntil(in.RetainUntilDate, now); err != nil {
			return err
		}
	}
	return r.changeLock(func(l *Lock) error {
		if err := l.forbidsChange(to, now, bypasses(r.r.Header)); err != nil {
			return err
		}
		l.Mode, l.Until = to.Mode, to.Until
		return nil
	})
}

func putLegalHold(r *request) error {
	var in struct{ Status string }
	if err := r.readXML(&in); err != nil {
		return err
	}
	if in.Status != "ON" && in.Status != "OFF" {
		return malformedXML()
	}
	return r.changeLock(func(l *Lock) error {
		l.Hold = in.Status
		return nil
	})
}

func (r *request) changeLock(f func(*Lock) error) error {
	if _, err := r.lockable(); err != nil {
		return err
	}
	err := r.change(r.bucket, r.key, func(c *change) error {
		o, err := find(c.tx, r.bucket, r.key, r.query.Get("versionId"))
		if err != nil {
			return err
		}
		if err := f(&o.Lock); err != nil {
			return err
		}
		return c.replace(o)
	})
	if err != nil {
		return err
	}
	return r.writeStatus(http.StatusOK)
}
