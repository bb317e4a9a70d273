package value

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// random makes a value of the kinds that a program can give, at most so deep.
func random(r *rand.Rand, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return math.Round(r.NormFloat64()*1e6) / 1e3
	case 3:
		return []string{"", "a", "ünïcode ☃", "line\nline", "4dabf18193072939515e22adb298388d"}[r.IntN(5)]
	case 4:
		return Unknown{}
	case 5:
		return File{Path: "dist/a.zip", Hash: "c0ffee", Archive: r.IntN(2) == 0}
	case 6:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = random(r, depth-1)
		}
		return list
	}
	return randomMap(r, depth-1)
}

func randomMap(r *rand.Rand, depth int) Map {
	m := Map{}
	for range r.IntN(4) {
		m[string(rune('a'+r.IntN(26)))] = random(r, max(depth, 0))
	}
	return m
}

// What is encoded is decoded to itself, whatever it holds.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		in := randomMap(r, 4)
		wire, err := Encode(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Decode(wire)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(in, out) {
			t.Fatalf("%#v became %#v", in, out)
		}
	}
}

// object is the wire form of an object with a signature.
func object(t *testing.T, members Map) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(Map{"p": members})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecodeMarkers(t *testing.T) {
	for name, tc := range map[string]struct {
		in      Map
		want    any
		refused string
	}{
		"a secret is its value":               {in: Map{signature: secretSignature, "value": "s"}, want: "s"},
		"a secret may hold what is unknown":   {in: Map{signature: secretSignature, "value": unknownString}, want: Unknown{}},
		"a secret may hold an object":         {in: Map{signature: secretSignature, "value": Map{"a": 1.0}}, want: Map{"a": 1.0}},
		"an output with a value is the value": {in: Map{signature: outputSignature, "value": true}, want: true},
		"an output without one is unknown":    {in: Map{signature: outputSignature}, want: Unknown{}},
		"an archive":                          {in: Map{signature: archiveSignature, "path": "a.zip", "hash": "ff"}, want: File{Path: "a.zip", Hash: "ff", Archive: true}},
		"an asset":                            {in: Map{signature: assetSignature, "path": "a.txt", "hash": "ff"}, want: File{Path: "a.txt", Hash: "ff"}},
		"text as an asset":                    {in: Map{signature: assetSignature, "text": "hello"}, refused: "an asset that is not a local file is not supported"},
		"an archive of archives":              {in: Map{signature: archiveSignature, "assets": Map{}}, refused: "give a path"},
		"a signature that nobody knows":       {in: Map{signature: "5cf8f73096256a8f31e491e813e4eb8e"}, refused: "is not supported"},
	} {
		got, err := Decode(object(t, tc.in))
		if tc.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tc.refused) || !strings.Contains(err.Error(), "property p") {
				t.Errorf("%s: got %v, want an error with %q", name, err, tc.refused)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got["p"], tc.want) {
			t.Errorf("%s: got %#v, %v", name, got["p"], err)
		}
	}
	for marker := range unknowns {
		if got, err := Decode(&structpb.Struct{Fields: map[string]*structpb.Value{"p": structpb.NewStringValue(marker)}}); err != nil || got["p"] != (Unknown{}) {
			t.Errorf("%s: got %#v, %v", marker, got, err)
		}
	}
}

func TestEncodeRefusesWhatIsNoValue(t *testing.T) {
	for _, v := range []any{math.NaN(), math.Inf(1), make(chan int), "\xff", []any{math.Inf(-1)}, Map{"a": struct{}{}}} {
		if _, err := Encode(Map{"p": v}); err == nil {
			t.Errorf("%#v was encoded", v)
		}
	}
}

func TestEqual(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b any
		want bool
	}{
		"a file elsewhere with one hash":    {File{Path: "a", Hash: "1"}, File{Path: "b", Hash: "1"}, true},
		"a file with another hash":          {File{Path: "a", Hash: "1"}, File{Path: "a", Hash: "2"}, false},
		"an archive and an asset":           {File{Hash: "1"}, File{Hash: "1", Archive: true}, false},
		"an absent member and a nil one":    {Map{"a": nil, "b": 1.0}, Map{"b": 1.0}, true},
		"the other way round":               {Map{"b": 1.0}, Map{"a": nil, "b": 1.0}, true},
		"an absent member and a value":      {Map{}, Map{"a": ""}, false},
		"lists in another order":            {[]any{"a", "b"}, []any{"b", "a"}, false},
		"lists of another length":           {[]any{"a"}, []any{"a", "b"}, false},
		"nested alike":                      {[]any{Map{"a": []any{1.0}}}, []any{Map{"a": []any{1.0}}}, true},
		"a list and an object":              {[]any{}, Map{}, false},
		"what is unknown and what is known": {Unknown{}, "a", false},
	} {
		if got := Equal(tc.a, tc.b); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestKnown(t *testing.T) {
	if !Known(Map{"a": []any{Map{"b": "c"}}}) || Known(Map{"a": []any{Map{"b": Unknown{}}}}) || Known(Unknown{}) || !Known(nil) {
		t.Error("what is deep inside is overlooked, or what is known is not")
	}
}

// Whatever an engine sends is decoded or refused; what is decoded can be sent
// back and means the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":[1,true,null,"x",{"b":{}}]}`,
		`{"a":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"s"}}`,
		`{"a":{"4dabf18193072939515e22adb298388d":"0def7320c3a5731c473e5ecbe6d01bc7","path":"x","hash":"y"}}`,
		`{"a":{"4dabf18193072939515e22adb298388d":"d0e6a833031e9bbcd3f4e8bde6ca49a4"}}`,
		`{"a":"04da6b54-80e4-46f7-96ec-b56ff0331ba9"}`, `{"4dabf18193072939515e22adb298388d":"top"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &structpb.Struct{}
		if protojson.Unmarshal([]byte(text), s) != nil {
			return
		}
		m, err := Decode(s)
		if err != nil {
			return
		}
		again, err := Encode(m)
		if err != nil {
			return // numbers that JSON has no form for
		}
		if back, err := Decode(again); err == nil && !Equal(m, back) {
			t.Errorf("%#v became %#v", m, back)
		}
	})
}
