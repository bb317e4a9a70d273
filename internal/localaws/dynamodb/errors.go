package dynamodb

import (
	"errors"

	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/wire"
)

const errValidation = "ValidationException"

func invalid(format string, args ...any) error { return wire.Errorf(errValidation, format, args...) }

// badParameter is the beginning of most of DynamoDB's complaints.
func badParameter(format string, args ...any) error {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

// refuse makes a validation error of what is wrong with an expression.
func refuse(err error) error {
	var e *expr.Error
	if errors.As(err, &e) {
		return invalid("%s", e.Message)
	}
	return err
}

func errNoTable() error {
	return wire.Errorf("ResourceNotFoundException", "Requested resource not found")
}

func errNoTableNamed(name string) error {
	return wire.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func errSchema() error { return invalid("The provided key element does not match the schema") }
