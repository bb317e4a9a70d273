package s3

import (
	"context"
	"errors"
	"sync"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// sweepEvery is how often the rules of lifecycles are applied.
const sweepEvery = time.Hour

// Run applies lifecycles and delivers notifications and access logs until the
// context ends, and then delivers what is left of the notifications.
func (s *Service) Run(ctx context.Context, report func(error)) {
	var logs sync.WaitGroup
	logs.Go(func() { s.runLogs(ctx, report) })
	defer logs.Wait()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
		report(err)
	}
	for {
		if err := s.deliverEvents(context.WithoutCancel(ctx)); err != nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-sweep.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

// Sweep does what the lifecycles of all buckets have due.
func (s *Service) Sweep(ctx context.Context) error {
	var all []Bucket
	err := s.store.View(func(tx state.Tx) error {
		for raw := range buckets.Scan(tx, "", "") {
			bk, err := raw.Value()
			if err != nil {
				return err
			}
			all = append(all, bk)
		}
		return nil
	})
	for _, bk := range all {
		l, ok := bk.lifecycle()
		for i := 0; ok && i < len(l.Rules) && err == nil; i++ {
			if l.Rules[i].enabled() {
				err = s.sweepRule(ctx, bk, &l.Rules[i])
			}
		}
	}
	return err
}

// chore is one thing that a rule has due.
type chore struct {
	key     string
	version string // "" for the current one
	class   string // what it becomes; "" when it is deleted
}

func (s *Service) sweepRule(ctx context.Context, bk Bucket, rule *lifecycleRule) error {
	w := sweeper{bucket: bk, rule: rule, now: s.cfg.Clock()}
	err := s.store.View(func(tx state.Tx) error {
		w.tx = tx
		return errors.Join(w.current(), w.noncurrent(), w.uploads())
	})
	if err != nil {
		return err
	}
	r := &request{Service: s, ctx: ctx, bucket: bk.Name, call: &wire.Call{Service: s.wire, Operation: "Lifecycle", Caller: wire.Caller{Account: bk.Account, Region: bk.Region, Service: "s3.amazonaws.com"}}}
	for _, c := range w.chores {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.key = c.key
		err := r.do(c)
		if err != nil && !wire.IsAccessDenied(err) && !wire.IsCode(err, "NoSuchVersion") && !wire.IsCode(err, "NoSuchKey") && !wire.IsCode(err, "NoSuchBucket") {
			return err
		}
	}
	for _, name := range w.ended {
		if err := r.endUpload(bk, name); err != nil {
			return err
		}
	}
	return nil
}

// do runs one chore. What a lock forbids stays.
func (r *request) do(c chore) error {
	if c.class == "" {
		d, err := r.deleteKey(c.key, c.version, deleteOptions{cause: "LifecycleExpiration"})
		if err == nil {
			r.noteChore(c, d.marker && c.version == "")
		}
		return err
	}
	err := r.change(r.bucket, c.key, func(ch *change) error {
		o, err := find(ch.tx, r.bucket, c.key, c.version)
		if err != nil || o.marker() {
			return err
		}
		o.Class = c.class
		if err := r.emit(ch, "LifecycleTransition", o); err != nil {
			return err
		}
		return ch.replace(o)
	})
	if err == nil {
		r.noteChore(c, false)
	}
	return err
}

func (r *request) endUpload(bk Bucket, name string) error {
	var gone []string
	err := r.store.Update(func(tx state.Tx) (err error) {
		gone, err = dropUpload(tx, name)
		return err
	})
	if err == nil {
		r.blobs.remove(bk, gone...)
	}
	return err
}

// sweeper finds what one rule has due.
type sweeper struct {
	tx     state.Tx
	bucket Bucket
	rule   *lifecycleRule
	now    time.Time
	chores []chore
	ended  []string // uploads
}

func (w *sweeper) past(t time.Time) bool { return !w.now.Before(t) }

// current looks at the current versions.
func (w *sweeper) current() error {
	if w.rule.Expiration == nil && len(w.rule.Transitions) == 0 {
		return nil
	}
	base := state.Prefix(w.bucket.Name)
	for raw := range current.Scan(w.tx, base+w.rule.prefix(), "") {
		o, err := raw.Value()
		if err != nil {
			return err
		}
		key := raw.Key()[len(base):]
		if !w.rule.matches(key, o) {
			continue
		}
		if e := w.rule.Expiration; e != nil {
			if t, ok := at(o.modified(), e.Days, e.Date); ok && w.past(t) {
				w.chores = append(w.chores, chore{key: key})
				continue
			}
		}
		w.moved(key, o, o.modified(), w.rule.Transitions)
	}
	return nil
}

// leastTransition is the size of the smallest object that changes its storage
// class by a rule that says nothing of sizes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
const leastTransition = 128 << 10

// moved notes the last of the transitions that are due.
func (w *sweeper) moved(key string, o Object, from time.Time, transitions []transition) {
	f, _ := w.rule.conditions()
	if o.Size < leastTransition && f.ObjectSizeGreaterThan == nil && f.ObjectSizeLessThan == nil {
		return
	}
	class, latest := "", time.Time{}
	for _, t := range transitions {
		days := t.Days
		if t.NoncurrentDays != nil {
			days = t.NoncurrentDays
		}
		if when, ok := at(from, days, t.Date); ok && w.past(when) && !when.Before(latest) {
			class, latest = t.StorageClass, when
		}
	}
	if class != "" && class != o.class() {
		w.chores = append(w.chores, chore{key, o.Version, class})
	}
}

// noncurrent looks at old versions, key by key.
func (w *sweeper) noncurrent() error {
	e := w.rule.Expiration
	markers := e != nil && (e.ExpiredObjectDeleteMarker != nil && *e.ExpiredObjectDeleteMarker || e.Days != nil)
	if w.rule.NoncurrentExpiration == nil && len(w.rule.NoncurrentTransitions) == 0 && !markers {
		return nil
	}
	base := state.Prefix(w.bucket.Name)
	key, group := "", []Object(nil)
	for raw := range versions.Scan(w.tx, base+w.rule.prefix(), "") {
		o, err := raw.Value()
		if err != nil {
			return err
		}
		name := raw.Key()[len(base):]
		name = name[:len(name)-17] // without the NUL and the number
		if name != key {
			if err := w.versions(key, group, markers); err != nil {
				return err
			}
			key, group = name, nil
		}
		group = append(group, o)
	}
	return w.versions(key, group, markers)
}

// versions looks at the old versions of a key, the newest first. One is old
// since the time of the one that came after it.
func (w *sweeper) versions(key string, group []Object, markers bool) error {
	if len(group) == 0 {
		return nil
	}
	newer, err := current.Get(w.tx, state.Key(w.bucket.Name, key))
	if errors.Is(err, state.ErrNotFound) { // the newest is a marker, and current
		newer, group = group[0], group[1:]
		if len(group) == 0 && markers && w.markerDue(newer) {
			w.chores = append(w.chores, chore{key: key, version: newer.Version})
		}
	} else if err != nil {
		return err
	}
	for i, o := range group {
		since := newer.modified()
		newer = o
		if !w.rule.matches(key, o) {
			continue
		}
		if n := w.rule.NoncurrentExpiration; n != nil && w.past(due(since, n.NoncurrentDays)) && (n.NewerNoncurrentVersions == nil || i >= *n.NewerNoncurrentVersions) {
			w.chores = append(w.chores, chore{key: key, version: o.Version})
		} else if !o.marker() {
			w.moved(key, o, since, w.rule.NoncurrentTransitions)
		}
	}
	return nil
}

// markerDue reports whether a marker that hides nothing any more goes.
func (w *sweeper) markerDue(marker Object) bool {
	e := w.rule.Expiration
	return e.ExpiredObjectDeleteMarker != nil || w.past(due(marker.modified(), *e.Days))
}

// uploads looks at uploads that have not ended.
func (w *sweeper) uploads() error {
	if w.rule.Abort == nil {
		return nil
	}
	for raw := range uploads.Scan(w.tx, state.Prefix(w.bucket.Name)+w.rule.prefix(), "") {
		up, err := raw.Value()
		if err != nil {
			return err
		}
		if w.past(due(up.Started, w.rule.Abort.DaysAfterInitiation)) {
			w.ended = append(w.ended, raw.Key())
		}
	}
	return nil
}
