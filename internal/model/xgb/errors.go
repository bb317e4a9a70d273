package xgb

import (
	"errors"
	"fmt"
)

// ErrClosed is what anything answers after its Close.
var ErrClosed = errors.New("xgboost: used after Close")

// A LibraryError tells that XGBoost's library cannot be opened.
type LibraryError struct{ Reason string }

// Error is one line that says what to install.
func (e *LibraryError) Error() string {
	return fmt.Sprintf("training needs libxgboost 1.7 or later: apt-get install libxgboost-dev (brew install xgboost): %s", e.Reason)
}

// A CallError is what XGBoost itself answered.
type CallError struct {
	Step    string // what was being done
	Message string // XGBoost's first line
}

// Error is one line.
func (e *CallError) Error() string { return fmt.Sprintf("xgboost: %s: %s", e.Step, e.Message) }

// A DataError tells of data that cannot be trained on or scored.
type DataError struct {
	What   string // such as "labels"
	Reason string
}

// Error is one line.
func (e *DataError) Error() string { return fmt.Sprintf("xgboost: %s: %s", e.What, e.Reason) }

// A ParamError tells of a parameter that has no meaning.
type ParamError struct {
	Name   string
	Reason string
}

// Error is one line.
func (e *ParamError) Error() string {
	return fmt.Sprintf("xgboost: parameter %s: %s", e.Name, e.Reason)
}
