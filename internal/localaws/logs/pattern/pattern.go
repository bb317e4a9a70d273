// Package pattern parses and matches CloudWatch Logs filter patterns: terms
// ("a b", a phrase in quotes, ?either ?or, -not), JSON conditions
// ({ $.level = "ERROR" && $.n > 3 }) and space-delimited fields
// ([ip, ..., status = 4*]).
//
// Syntax: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
package pattern

import (
	"fmt"
	"strings"
)

// MaxLength is how long a pattern may be, in bytes.
const MaxLength = 1024

// Pattern decides which log events are selected. The zero value selects all.
type Pattern struct {
	match   func(message string) bool
	extract func(message string) map[string]string
}

// Match reports whether the pattern selects a message.
func (p Pattern) Match(message string) bool { return p.match == nil || p.match(message) }

// Extract returns the values of the fields that a space-delimited pattern
// names, by "$name"; of other patterns none.
func (p Pattern) Extract(message string) map[string]string {
	if p.extract == nil {
		return map[string]string{}
	}
	return p.extract(message)
}

// SyntaxError says what is wrong with a pattern, and where.
type SyntaxError struct {
	Offset int // in bytes
	Reason string
}

// Error names the place and the reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid filter pattern at offset %d: %s", e.Offset, e.Reason)
}

// UnsupportedError names a feature of the syntax that this package does not have.
type UnsupportedError struct{ Feature string }

// Error names the feature.
func (e *UnsupportedError) Error() string { return "filter pattern feature " + e.Feature }

// Parse reads a pattern. Errors: *SyntaxError, *UnsupportedError.
func Parse(text string) (Pattern, error) {
	if len(text) > MaxLength {
		return Pattern{}, &SyntaxError{MaxLength, fmt.Sprintf("a pattern has at most %d bytes", MaxLength)}
	}
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return Pattern{}, nil
	case trimmed[0] == '{':
		return parseJSON(text)
	case trimmed[0] == '[':
		return parseFields(text)
	case trimmed[0] == '%' && len(trimmed) > 1 && strings.HasSuffix(trimmed, "%"):
		return Pattern{}, &UnsupportedError{"%regular expression%"}
	}
	return parseTerms(text)
}
