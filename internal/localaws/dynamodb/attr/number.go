package attr

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// The limits of numbers:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// NumberError says what is wrong with a number, in AWS's words.
type NumberError string

// Error returns AWS's words.
func (e NumberError) Error() string { return string(e) }

// The errors of numbers that are out of range.
const (
	ErrOverflow  NumberError = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	ErrUnderflow NumberError = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	ErrPrecision NumberError = "Attempting to store more than 38 significant digits in a Number"
	errNoNumber  NumberError = "The parameter cannot be converted to a numeric value"
)

// Number makes a number from its text. Errors: NumberError.
func Number(text string) (Value, error) {
	canonical, err := canonical(text)
	return Value{Kind: N, Text: canonical}, err
}

// maxNumberText bounds the text of a number, far above what the limits allow
// with leading and trailing zeros.
const maxNumberText = 1000

func canonical(text string) (string, error) {
	if isPlain(text) {
		return text, nil
	}
	if text == "" {
		return "", errNoNumber
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite || len(text) > maxNumberText {
		return "", errNoNumber + NumberError(": "+text)
	}
	return print(d)
}

// isPlain reports whether text is a whole number of few digits in canonical
// form: most are.
func isPlain(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && text != "0" {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// print writes a number as DynamoDB does: all digits, no exponent, nothing
// needless.
func print(d *apd.Decimal) (string, error) {
	if d.IsZero() {
		return "0", nil
	}
	reduced, _ := new(apd.Decimal).Reduce(d)
	adjusted := reduced.NumDigits() - 1 + int64(reduced.Exponent)
	switch {
	case adjusted > maxExponent:
		return "", ErrOverflow
	case adjusted < minExponent:
		return "", ErrUnderflow
	case reduced.NumDigits() > maxDigits:
		return "", ErrPrecision
	}
	return reduced.Text('f'), nil
}

// parse reads a canonical number.
func parse(canonical string) *apd.Decimal {
	d, _, err := apd.NewFromString(canonical)
	if err != nil {
		panic("attr: not a canonical number: " + canonical)
	}
	return d
}

// Add returns the sum of two numbers. Errors: NumberError.
func Add(a, b Value) (Value, error) { return arithmetic(a, b, apd.BaseContext.Add) }

// Subtract returns the difference of two numbers. Errors: NumberError.
func Subtract(a, b Value) (Value, error) { return arithmetic(a, b, apd.BaseContext.Sub) }

func arithmetic(a, b Value, f func(d, x, y *apd.Decimal) (apd.Condition, error)) (Value, error) {
	var d apd.Decimal
	if _, err := f(&d, parse(a.Text), parse(b.Text)); err != nil {
		return Value{}, NumberError(err.Error())
	}
	text, err := print(&d)
	return Value{Kind: N, Text: text}, err
}

// split returns the sign, the digits without zeros at either end, and the
// exponent with which the number is 0.digits * 10^exponent. Zero has no digits.
func split(canonical string) (negative bool, digits string, exponent int) {
	text, negative := strings.CutPrefix(canonical, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	all := whole + fraction
	digits = strings.TrimLeft(all, "0")
	exponent = len(whole) - (len(all) - len(digits))
	return negative, strings.TrimRight(digits, "0"), exponent
}

// numberSize is one byte for two digits, and one more; a negative number has
// another one.
func numberSize(canonical string) int {
	negative, digits, exponent := split(canonical)
	n := (len(digits)+1)/2 + 1
	if digits != "" && exponent%2 != 0 && len(digits)%2 == 0 {
		n++ // the digits lie across pairs
	}
	if negative {
		n++
	}
	return n
}
