package csvfile

import (
	"math"
	"strconv"
)

// maxFixed bounds |v|*10^d for the fast path: below 2^51 the spacing of doubles
// is at most a quarter, so the fraction of the scaled value is told from a half.
const maxFixed = 1 << 51

// powersOfTen holds the powers of ten that a double holds exactly.
var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// digitPairs is "00" to "99", so that two digits are written at a time.
const digitPairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// appendDouble appends v with exactly d digits after the point, rounded like
// strconv.AppendFloat(dst, v, 'f', d, 64), but never as a negative zero. d is at most 22.
func appendDouble(dst []byte, v float64, d int) []byte {
	if d < len(powersOfTen) {
		if n, ok := scale(math.Abs(v), powersOfTen[d]); ok {
			if v < 0 && n > 0 {
				dst = append(dst, '-')
			}
			return appendFixed(dst, n, d)
		}
	}
	return strconv.AppendFloat(dst, v, 'f', d, 64)
}

// scale rounds a*p, for a >= 0 and p a power of ten, to the nearest integer and
// a tie to the even one, as if the product were exact. It reports false where
// the product is too large, infinite or not a number.
func scale(a, p float64) (n uint64, ok bool) {
	x := a * p
	if !(x < maxFixed) {
		return 0, false
	}
	n = uint64(x)
	switch fraction := x - float64(n); {
	case fraction > 0.5:
		n++
	case fraction == 0.5:
		// The rounded product is a tie; the exact one may lie to either side.
		rest := math.FMA(a, p, -x)
		if rest > 0 || rest == 0 && n&1 == 1 {
			n++
		}
	}
	return n, true
}

// appendFixed appends n/10^d with d digits after the point.
func appendFixed(dst []byte, n uint64, d int) []byte {
	var buf [32]byte
	i := len(buf)
	for ; d >= 2; d -= 2 {
		pair := n % 100 * 2
		n /= 100
		i -= 2
		buf[i], buf[i+1] = digitPairs[pair], digitPairs[pair+1]
	}
	if d == 1 {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	if i < len(buf) {
		i--
		buf[i] = '.'
	}
	for ; n >= 100; n /= 100 {
		pair := n % 100 * 2
		i -= 2
		buf[i], buf[i+1] = digitPairs[pair], digitPairs[pair+1]
	}
	if n >= 10 {
		i -= 2
		buf[i], buf[i+1] = digitPairs[n*2], digitPairs[n*2+1]
	} else {
		i--
		buf[i] = byte('0' + n)
	}
	return append(dst, buf[i:]...)
}
