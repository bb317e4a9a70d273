package dynamodb

import (
	"context"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type recoverySpecification struct {
	PointInTimeRecoveryEnabled *bool `required:"true"`
	RecoveryPeriodInDays       *int  `min:"1" max:"35"`
}

type updateBackupsInput struct {
	TableName                        string                 `required:"true"`
	PointInTimeRecoverySpecification *recoverySpecification `required:"true"`
}

type backupsOutput struct{ ContinuousBackupsDescription backups }

type backups struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription recovery
}

type recovery struct {
	PointInTimeRecoveryStatus  string
	RecoveryPeriodInDays       int        `json:",omitempty"`
	EarliestRestorableDateTime *wire.Time `json:",omitempty"`
	LatestRestorableDateTime   *wire.Time `json:",omitempty"`
}

// defaultDays is how far back recovery reaches unless it is said.
const defaultDays = 35

// latestRestorable is how long ago the newest moment is that can be restored.
const latestRestorable = 5 * time.Minute

// updateBackups keeps the setting. No restore is supported, so that nothing
// beside the setting has to be kept.
func (s *Service) updateBackups(_ context.Context, call *wire.Call, in *updateBackupsInput) (*backupsOutput, error) {
	out := &backupsOutput{}
	want := in.PointInTimeRecoverySpecification
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookupTableNotFound(tx, call, in.TableName)
		if err != nil {
			return err
		}
		switch {
		case !*want.PointInTimeRecoveryEnabled:
			t.RecoverFrom, t.RecoveryDays = time.Time{}, 0
		case t.RecoverFrom.IsZero():
			t.RecoverFrom, t.RecoveryDays = s.now(), defaultDays
		}
		if want.RecoveryPeriodInDays != nil && *want.PointInTimeRecoveryEnabled {
			t.RecoveryDays = *want.RecoveryPeriodInDays
		}
		out.ContinuousBackupsDescription = s.describe(t)
		return tables.Put(tx, t.key(), *t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) describeBackups(_ context.Context, call *wire.Call, in *tableInput) (*backupsOutput, error) {
	out := &backupsOutput{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		t, err := lookupTableNotFound(tx, call, in.TableName)
		if err == nil {
			out.ContinuousBackupsDescription = s.describe(t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// lookupTableNotFound is lookup with the error of the operations on backups.
func lookupTableNotFound(tx state.Tx, call *wire.Call, name string) (*table, error) {
	t, err := lookup(tx, call, name)
	if wire.IsCode(err, "ResourceNotFoundException") {
		_, _, short := splitTable(call, name)
		return nil, wire.Errorf("TableNotFoundException", "Table not found: %s", short)
	}
	return t, err
}

func (s *Service) describe(t *table) backups {
	if t.RecoverFrom.IsZero() {
		return backups{"ENABLED", recovery{PointInTimeRecoveryStatus: "DISABLED"}}
	}
	earliest, latest := t.RecoverFrom, s.now().Add(-latestRestorable)
	if floor := s.now().AddDate(0, 0, -t.RecoveryDays); earliest.Before(floor) {
		earliest = floor
	}
	if latest.Before(earliest) {
		latest = earliest
	}
	return backups{"ENABLED", recovery{"ENABLED", t.RecoveryDays, timeOf(earliest), timeOf(latest)}}
}
