package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"engage/internal/localaws/state"
)

// TrailReport is what the verification of a trail found.
type TrailReport struct {
	Trail  string `json:"trail"` // ARN
	Bucket string `json:"bucket"`
	Report
	// Error says why the trail could not be checked, or not to its end.
	Error string `json:"error,omitempty"`
}

// ErrNoTrail says that there is nothing to verify.
var ErrNoTrail = errors.New("there is no such trail")

// VerifyTrails delivers what was recorded, with digests, and verifies the
// trail of a name or ARN, or every trail when the name is empty.
//
// Errors: ErrNoTrail, and those of the store. What is wrong with one trail is
// in its report.
func (s *Service) VerifyTrails(ctx context.Context, reader Reader, name string) ([]TrailReport, error) {
	if err := s.save(); err != nil {
		return nil, fmt.Errorf("save events: %w", err)
	}
	_ = s.Flush(ctx, true) // a trail that cannot be delivered to says so
	all, err := s.everyTrail()
	if err != nil {
		return nil, fmt.Errorf("list trails: %w", err)
	}
	wanted := slices.DeleteFunc(slices.Clone(all), func(t trail) bool { return name != "" && name != t.Name && name != t.arn() })
	if len(wanted) == 0 {
		return nil, fmt.Errorf("%w: create one with CreateTrail, or name one of DescribeTrails", ErrNoTrail)
	}
	key, err := s.PublicKey()
	if err != nil {
		return nil, err
	}
	reports := make([]TrailReport, len(wanted))
	for i, t := range wanted {
		found, err := Verify(ctx, reader, key, t.location(all))
		reports[i] = TrailReport{Trail: t.arn(), Bucket: t.Bucket, Report: found, Error: t.unchecked(err)}
	}
	return reports, ctx.Err()
}

func (s *Service) everyTrail() (found []trail, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		all, err := trails.List(tx, "", "", 0)
		for _, e := range all {
			found = append(found, e.Value)
		}
		return err
	})
	return found, err
}

func (t trail) location(all []trail) Location {
	at := Location{Bucket: t.Bucket, Prefix: t.Prefix, Account: t.Account, LastDigest: t.LastObject, Trail: t.Name, Region: t.Region}
	for _, other := range all {
		same := other.Bucket == t.Bucket && other.Prefix == t.Prefix && other.Account == t.Account
		at.Unvouched = at.Unvouched || same && !other.Validate
	}
	return at
}

// unchecked tells why a trail is not known to be whole although nothing was found.
func (t trail) unchecked(err error) string {
	switch {
	case err != nil:
		return err.Error()
	case !t.Validate:
		return "the trail has no digests: set EnableLogFileValidation"
	case t.DeliveryError != "":
		return fmt.Sprintf("the last delivery failed with %s: see that the policy of the bucket %s lets cloudtrail.amazonaws.com write", t.DeliveryError, t.Bucket)
	case t.LastObject == "":
		return "the trail has not logged yet: start it with StartLogging"
	}
	return ""
}
