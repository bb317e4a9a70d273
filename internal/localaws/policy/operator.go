package policy

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// stringTest compares text and ARNs. Policy variables are allowed in these operators alone.
func stringTest(kind patternKind, fold bool) func(string, bool) (test, error) {
	return func(value string, vars bool) (test, error) {
		p, err := compilePattern(value, kind, vars)
		if err != nil {
			return nil, err
		}
		if !fold {
			return p.match, nil
		}
		return func(got string, keys Keys) bool {
			want, ok := p.resolve(keys)
			return ok && strings.EqualFold(want, got)
		}, nil
	}
}

// numberTest compares decimal numbers exactly, not as floating point.
func numberTest(ok func(order int) bool) func(string, bool) (test, error) {
	return func(value string, _ bool) (test, error) {
		want, err := parseNumber(value)
		if err != nil {
			return nil, err
		}
		return func(got string, _ Keys) bool {
			n, err := parseNumber(got)
			return err == nil && ok(n.Cmp(want))
		}, nil
	}
}

// maxNumber bounds a number's text: an exponent or a thousand digits are nobody's policy.
const maxNumber = 64

func parseNumber(text string) (*big.Rat, error) {
	if text == "" || len(text) > maxNumber || strings.Trim(text, "0123456789.+-") != "" {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

func dateTest(ok func(order int) bool) func(string, bool) (test, error) {
	return func(value string, _ bool) (test, error) {
		want, err := parseDate(value)
		if err != nil {
			return nil, err
		}
		return func(got string, _ Keys) bool {
			t, err := parseDate(got)
			return err == nil && ok(t.Compare(want))
		}, nil
	}
}

// dateForms are the ISO 8601 profiles of https://www.w3.org/TR/NOTE-datetime.
var dateForms = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "20060102T150405Z"}

// parseDate reads a W3C date or seconds since 1970.
func parseDate(text string) (time.Time, error) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a date", text)
}

func boolTest(value string, _ bool) (test, error) {
	want, err := parseBool(value)
	if err != nil {
		return nil, err
	}
	return func(got string, _ Keys) bool {
		b, err := parseBool(got)
		return err == nil && b == want
	}, nil
}

func parseBool(text string) (bool, error) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, nil
	case strings.EqualFold(text, "false"):
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

// binaryTest compares bytes; policy and request both give them as base64.
func binaryTest(value string, _ bool) (test, error) {
	want, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("%q is not base64", value)
	}
	return func(got string, _ Keys) bool {
		b, err := base64.StdEncoding.DecodeString(got)
		return err == nil && bytes.Equal(b, want)
	}, nil
}

func addressTest(value string, _ bool) (test, error) {
	network, err := parseNetwork(value)
	if err != nil {
		return nil, err
	}
	return func(got string, _ Keys) bool {
		address, err := netip.ParseAddr(got)
		return err == nil && network.Contains(address.Unmap())
	}, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a CIDR block", text)
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}
