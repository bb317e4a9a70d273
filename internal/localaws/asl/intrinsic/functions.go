package intrinsic

import (
	"crypto/md5"  //nolint:gosec // States.Hash offers it
	"crypto/sha1" //nolint:gosec // States.Hash offers it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"engage/internal/localaws/asl/value"
)

// maxText is the longest text that the encoding and hashing functions take, in characters.
const maxText = 10_000

var functions map[string]function

func init() {
	functions = map[string]function{
		"States.Format":         {1, -1, format},
		"States.StringToJson":   {1, 1, stringToJSON},
		"States.JsonToString":   {1, 1, jsonToString},
		"States.Array":          {0, -1, array},
		"States.ArrayPartition": {2, 2, arrayPartition},
		"States.ArrayContains":  {2, 2, arrayContains},
		"States.ArrayRange":     {3, 3, arrayRange},
		"States.ArrayGetItem":   {2, 2, arrayGetItem},
		"States.ArrayLength":    {1, 1, arrayLength},
		"States.ArrayUnique":    {1, 1, arrayUnique},
		"States.Base64Encode":   {1, 1, base64Encode},
		"States.Base64Decode":   {1, 1, base64Decode},
		"States.Hash":           {2, 2, hash},
		"States.JsonMerge":      {3, 3, jsonMerge},
		"States.MathRandom":     {2, 3, mathRandom},
		"States.MathAdd":        {2, 2, mathAdd},
		"States.StringSplit":    {2, 2, stringSplit},
		"States.UUID":           {0, 0, uuid},
	}
}

func text(args []any, i int) (string, error) {
	s, ok := args[i].(string)
	if !ok {
		return "", fmt.Errorf("argument %d must be a string, not a JSON %s", i+1, value.KindOf(args[i]))
	}
	return s, nil
}

func list(args []any, i int) ([]any, error) {
	a, ok := args[i].([]any)
	if !ok {
		return nil, fmt.Errorf("argument %d must be an array, not a JSON %s", i+1, value.KindOf(args[i]))
	}
	return a, nil
}

// format fills the {} of a template, in which \{ \} \\ and \' stand for themselves.
func format(_ Env, args []any) (any, error) {
	template, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	used := 1
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case c == '\\' && i+1 < len(template) && strings.IndexByte(`'\{}`, template[i+1]) >= 0:
			i++
			out.WriteByte(template[i])
		case c == '{' && strings.HasPrefix(template[i:], "{}"):
			if used < len(args) {
				out.WriteString(interpolated(args[used]))
			}
			used++
			i++
		case c == '{' || c == '}':
			return nil, fmt.Errorf("the template has a %q that is neither part of {} nor escaped", c)
		default:
			out.WriteByte(c)
		}
	}
	if used != len(args) {
		return nil, fmt.Errorf("the template has %d placeholders for %d values", used-1, len(args)-1)
	}
	return out.String(), nil
}

func interpolated(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return value.String(v)
}

func stringToJSON(_ Env, args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	v, err := value.Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("the string is not JSON: %w", err)
	}
	return v, nil
}

func jsonToString(_ Env, args []any) (any, error) { return value.String(args[0]), nil }

func base64Encode(_ Env, args []any) (any, error) {
	s, err := limited(args)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

func base64Decode(_ Env, args []any) (any, error) {
	s, err := limited(args)
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("the string is not Base64: %w", err)
	}
	return string(decoded), nil
}

func limited(args []any) (string, error) {
	s, err := text(args, 0)
	if err == nil && utf8.RuneCountInString(s) > maxText {
		err = fmt.Errorf("the string is longer than %d characters", maxText)
	}
	return s, err
}

// hash takes any value: a string is hashed as it is, everything else as its JSON.
func hash(_ Env, args []any) (any, error) {
	algorithm, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	data := []byte(interpolated(args[0]))
	if utf8.RuneCount(data) > maxText {
		return nil, fmt.Errorf("the data is longer than %d characters", maxText)
	}
	var sum []byte
	switch algorithm {
	case "MD5":
		s := md5.Sum(data)
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(data)
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(data)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(data)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(data)
		sum = s[:]
	default:
		return nil, fmt.Errorf("'%s' is not one of MD5, SHA-1, SHA-256, SHA-384, SHA-512", algorithm)
	}
	return hex.EncodeToString(sum), nil
}

func jsonMerge(_ Env, args []any) (any, error) {
	a, okA := args[0].(*value.Object)
	b, okB := args[1].(*value.Object)
	if !okA || !okB {
		return nil, fmt.Errorf("the first two arguments must be JSON objects")
	}
	if deep, ok := args[2].(bool); !ok || deep {
		return nil, fmt.Errorf("only the shallow merge exists: the third argument must be false")
	}
	merged := a.Copy()
	for i := range b.Len() {
		k, v := b.At(i)
		merged.Set(k, v)
	}
	return merged, nil
}

// stringSplit splits at every character that the second argument contains; empty parts are dropped.
func stringSplit(_ Env, args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	cuts, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(cuts, r) }) {
		parts = append(parts, part)
	}
	return parts, nil
}
