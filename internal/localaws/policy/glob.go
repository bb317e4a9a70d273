package policy

import (
	"strings"
	"unicode/utf8"
)

// A compiled pattern is a string in which wildcards are single bytes that
// never occur in UTF-8 text, so that a literal asterisk (written ${*}) stays a
// plain character and matching needs no token list.
const (
	anyRun      = '\xff' // any characters, colons too
	anyOne      = '\xfe' // one character, a colon too
	segmentRun  = '\xfd' // any characters but colons
	segmentOne  = '\xfc' // one character but a colon
	firstMarker = '\xfc'
)

// arnParts is how many parts an ARN has; the last one may hold colons itself.
const arnParts = 6

// valid makes text safe to put into a pattern: what is not UTF-8 could be taken for a wildcard.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// matchGlob reports whether all of s matches the compiled pattern p.
//
// REQUIRES: after a segmentRun, no wildcard that matches colons comes before
// the next literal colon, but a final anyRun. globARN keeps to it.
//
// It is the usual greedy matcher that returns to the last star, with two stars
// to return to: the last one that stops at a colon, and the last one that does
// not. Once a star has matched greedily from the left, earlier stars of its
// kind cannot do better, so the cost is at worst len(p)*len(s)^2 and in
// practice linear.
func matchGlob(p, s string) bool {
	near, far := retry{p: -1}, retry{p: -1}
	i, j := 0, 0
	for {
		if i < len(p) {
			switch c := p[i]; {
			case c == anyRun:
				i++
				if i == len(p) {
					return true
				}
				far, near = retry{p: i, s: j}, retry{p: -1}
				continue
			case c == segmentRun:
				i++
				near = retry{p: i, s: j}
				continue
			case j < len(s) && (c == anyOne || c == segmentOne && s[j] != ':'):
				_, width := utf8.DecodeRuneInString(s[j:])
				i, j = i+1, j+width
				continue
			case j < len(s) && c < firstMarker && c == s[j]:
				i, j = i+1, j+1
				continue
			}
		} else if j == len(s) {
			return true
		}
		switch {
		case near.p >= 0 && near.s < len(s) && s[near.s] != ':':
			near.s++
			i, j = near.p, near.s
		case far.p >= 0 && far.s < len(s):
			far.s++
			near.p = -1
			i, j = far.p, far.s
		default:
			return false
		}
	}
}

// retry is where matching goes on when a star has to take one more byte.
type retry struct{ p, s int }

// globARN compiles an ARN pattern. Each of the first five parts matches within
// its own colons; the sixth matches freely. A pattern with fewer parts that
// ends with a star matches across the remaining colons, as AWS documents for
// the last star of a segment.
func globARN(text string) string {
	parts := strings.SplitN(text, ":", arnParts)
	for i, part := range parts {
		run, one := byte(segmentRun), byte(segmentOne)
		if i == arnParts-1 {
			run, one = anyRun, anyOne
		}
		parts[i] = setMarks(part, run, one)
	}
	last := len(parts) - 1
	if last < arnParts-1 {
		if cut, ok := strings.CutSuffix(parts[last], string([]byte{segmentRun})); ok {
			parts[last] = cut + string([]byte{anyRun})
		}
	}
	return strings.Join(parts, ":")
}
