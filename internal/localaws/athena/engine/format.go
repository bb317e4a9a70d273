package engine

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// appendValue writes a value as Athena prints it. Nested values are Java's: [a, b], {k=v}.
func appendValue(b []byte, v any, t *shape) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case int8:
		return strconv.AppendInt(b, int64(v), 10)
	case int16:
		return strconv.AppendInt(b, int64(v), 10)
	case int32:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return appendFloat(b, v, 64)
	case float32:
		return appendFloat(b, float64(v), 32)
	case time.Time:
		return appendTime(b, v, t.name)
	case []byte:
		return appendBytes(b, v, t.name)
	}
	return appendOther(b, v, t)
}

func appendOther(b []byte, v any, t *shape) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case *big.Int:
		return v.Append(b, 10)
	case duckdb.Decimal:
		return appendDecimal(b, v)
	case duckdb.UUID:
		return append(b, v.String()...)
	case duckdb.Interval:
		return appendInterval(b, v)
	case []any:
		if t.name == "JSON" {
			break
		}
		return appendList(b, v, t)
	case map[string]any:
		if t.name == "JSON" {
			break
		}
		return appendStruct(b, v, t)
	case duckdb.OrderedMap:
		return appendMap(b, v, t)
	}
	if t.name == "JSON" {
		if text, err := json.Marshal(v); err == nil {
			return append(b, text...)
		}
	}
	return fmt.Append(b, v)
}

func appendList(b []byte, vs []any, t *shape) []byte {
	b = append(b, '[')
	for i, v := range vs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendValue(b, v, t.arg(0))
	}
	return append(b, ']')
}

func appendStruct(b []byte, m map[string]any, t *shape) []byte {
	b = append(b, '{')
	for i, name := range t.fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, name...), '=')
		b = appendValue(b, m[name], t.arg(i))
	}
	return append(b, '}')
}

func appendMap(b []byte, m duckdb.OrderedMap, t *shape) []byte {
	b = append(b, '{')
	keys, values := m.Keys(), m.Values()
	for i := range keys {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendValue(b, keys[i], t.arg(0)), '=')
		b = appendValue(b, values[i], t.arg(1))
	}
	return append(b, '}')
}

// appendFloat writes Java's Double.toString: 1.0, 0.001, 1.0E-4, 1.0E7
// (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Double.html#toString(double)).
func appendFloat(b []byte, f float64, bits int) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		start := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, bits)
		if !strings.Contains(string(b[start:]), ".") {
			b = append(b, ".0"...)
		}
		return b
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return append(append(b, mantissa...), "E"+strconv.Itoa(n)...)
}

func appendTime(b []byte, v time.Time, name string) []byte {
	v = v.UTC()
	switch {
	case name == "DATE":
		return v.AppendFormat(b, "2006-01-02")
	case name == "TIME":
		return v.AppendFormat(b, "15:04:05.000")
	case name == "TIMESTAMPTZ":
		return v.AppendFormat(b, "2006-01-02 15:04:05.000 UTC")
	}
	return v.AppendFormat(b, "2006-01-02 15:04:05.000")
}

// appendBytes writes varbinary as pairs of digits with blanks between them.
func appendBytes(b, v []byte, name string) []byte {
	if name == "UUID" && len(v) == 16 {
		return fmt.Appendf(b, "%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
	}
	for i := range v {
		if i > 0 {
			b = append(b, ' ')
		}
		b = hex.AppendEncode(b, v[i:i+1])
	}
	return b
}

// appendDecimal writes all the digits of the scale.
func appendDecimal(b []byte, d duckdb.Decimal) []byte {
	digits := new(big.Int).Abs(d.Value).String()
	if n := int(d.Scale) + 1 - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	if d.Value.Sign() < 0 {
		b = append(b, '-')
	}
	cut := len(digits) - int(d.Scale)
	b = append(b, digits[:cut]...)
	if d.Scale > 0 {
		b = append(append(b, '.'), digits[cut:]...)
	}
	return b
}

// appendInterval writes "1-2" for years and months, "3 04:05:06.000" for the rest.
func appendInterval(b []byte, v duckdb.Interval) []byte {
	if v.Months != 0 {
		return fmt.Appendf(b, "%d-%d", v.Months/12, v.Months%12)
	}
	d := time.Duration(v.Micros) * time.Microsecond
	return fmt.Appendf(b, "%d %02d:%02d:%02d.%03d", v.Days, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, d.Milliseconds()%1000)
}
