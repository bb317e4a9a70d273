package asl

import (
	"fmt"
	"strings"
)

// Codes of problems, as AWS's diagnostics name them.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
const (
	CodeInvalidJSON     = "INVALID_JSON_DESCRIPTION"
	CodeSchema          = "SCHEMA_VALIDATION_FAILED"
	CodeMissingTarget   = "MISSING_TRANSITION_TARGET"
	CodeDuplicateName   = "DUPLICATE_STATE_NAME"
	CodeNotImplemented  = "NOT_IMPLEMENTED" // not AWS's: a feature that this interpreter refuses by name
	CodeUnreachable     = CodeMissingTarget
	CodeMissingEnd      = "MISSING_END_STATE"
	maxDefinitionLength = 1 << 20
)

// Nowhere is the location of a problem that AWS tells without one.
const Nowhere = "null"

// Problem is one thing that is wrong with a definition.
type Problem struct {
	Code     string
	Message  string
	Location string // /States/Name/Field; empty for the document as a whole, or Nowhere
}

func (p Problem) String() string {
	if p.Location == "" {
		return p.Code + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s at %s", p.Code, p.Message, p.Location)
}

// InvalidError is every problem of a definition.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = "'" + p.String() + "'"
	}
	return "Invalid State Machine Definition: " + strings.Join(texts, ", ")
}
