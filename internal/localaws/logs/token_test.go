package logs

import "testing"

func FuzzTokens(f *testing.F) {
	f.Add("f/1700000000000-16384/s")
	f.Add("b/-1-0/s")
	f.Add("eyJUaW1lIjoxfQ")
	f.Fuzz(func(t *testing.T, text string) {
		if direction, p, err := parseToken(text); err == nil {
			d, again, err := parseToken(token(direction, p))
			if err != nil || d != direction || again != p {
				t.Errorf("%q is %v, its token %v (%v)", text, p, again, err)
			}
		}
		if p, err := parseFilterToken(text); err == nil && text != "" {
			if again, err := parseFilterToken(filterToken(p)); err != nil || again != p {
				t.Errorf("%q is %v, its token %v (%v)", text, p, again, err)
			}
		}
	})
}
