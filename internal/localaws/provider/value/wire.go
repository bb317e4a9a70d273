package value

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/structpb"
)

// The markers of the protocol: a string that stands for an unknown value, and
// the member that makes an object something else.
// https://github.com/pulumi/pulumi/blob/v3.200.0/sdk/go/common/resource/plugin/rpc.go
const (
	unknownString  = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	unknownBool    = "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"
	unknownNumber  = "3eeb2bf0-c639-47a8-9e75-3b44932eb421"
	unknownArray   = "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"
	unknownAsset   = "030794c1-ac77-496b-92df-f27374a8bd58"
	unknownArchive = "e48ece36-62e2-4504-bad9-02848725956a"
	unknownObject  = "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"

	signature        = "4dabf18193072939515e22adb298388d"
	secretSignature  = "1b47061264138c4ac30d75fd1eb44270"
	assetSignature   = "c44067f5952c0a294b673a41bacd8c17"
	archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7"
	outputSignature  = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
)

var unknowns = map[string]bool{
	unknownString: true, unknownBool: true, unknownNumber: true, unknownArray: true,
	unknownAsset: true, unknownArchive: true, unknownObject: true,
}

// Decode returns the values of s. A secret is its plain value: the engine keeps
// track of what is secret when a provider does not. An asset or archive that
// is not a local file is refused.
func Decode(s *structpb.Struct) (Map, error) {
	out := Map{}
	for k, v := range s.GetFields() {
		d, err := decode(v)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", k, err)
		}
		out[k] = d
	}
	return out, nil
}

func decode(v *structpb.Value) (any, error) {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return k.BoolValue, nil
	case *structpb.Value_NumberValue:
		return k.NumberValue, nil
	case *structpb.Value_StringValue:
		if unknowns[k.StringValue] {
			return Unknown{}, nil
		}
		return k.StringValue, nil
	case *structpb.Value_ListValue:
		return decodeList(k.ListValue)
	case *structpb.Value_StructValue:
		return decodeStruct(k.StructValue)
	}
	return nil, nil
}

func decodeList(l *structpb.ListValue) (any, error) {
	out := make([]any, len(l.GetValues()))
	for i, e := range l.GetValues() {
		d, err := decode(e)
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

func decodeStruct(s *structpb.Struct) (any, error) {
	switch sig := s.GetFields()[signature].GetStringValue(); sig {
	case "":
		return Decode(s)
	case secretSignature:
		return decode(s.GetFields()["value"])
	case outputSignature:
		if v, ok := s.GetFields()["value"]; ok {
			return decode(v)
		}
		return Unknown{}, nil
	case assetSignature, archiveSignature:
		return decodeFile(s, sig == archiveSignature)
	default:
		return nil, fmt.Errorf("a value with signature %s is not supported; give a plain value", sig)
	}
}

func decodeFile(s *structpb.Struct, archive bool) (any, error) {
	f := File{Path: s.GetFields()["path"].GetStringValue(), Hash: s.GetFields()["hash"].GetStringValue(), Archive: archive}
	if f.Path == "" && f.Hash == "" { // a state remembers the hash alone
		return nil, fmt.Errorf("an asset that is not a local file is not supported; give a path")
	}
	return f, nil
}

// Encode returns m in the protocol's form.
func Encode(m Map) (*structpb.Struct, error) {
	s := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(m))}
	for k, v := range m {
		e, err := encode(v)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", k, err)
		}
		s.Fields[k] = e
	}
	return s, nil
}

func encode(v any) (*structpb.Value, error) {
	switch v := v.(type) {
	case Unknown:
		return structpb.NewStringValue(unknownString), nil
	case File:
		return encodeFile(v), nil
	case Map:
		s, err := Encode(v)
		return structpb.NewStructValue(s), err
	case []any:
		return encodeList(v)
	case int:
		return structpb.NewNumberValue(float64(v)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is not a number of JSON", v)
		}
		return structpb.NewNumberValue(v), nil
	default:
		return structpb.NewValue(v)
	}
}

func encodeList(l []any) (*structpb.Value, error) {
	out := &structpb.ListValue{Values: make([]*structpb.Value, len(l))}
	for i, e := range l {
		v, err := encode(e)
		if err != nil {
			return nil, err
		}
		out.Values[i] = v
	}
	return structpb.NewListValue(out), nil
}

func encodeFile(f File) *structpb.Value {
	sig := assetSignature
	if f.Archive {
		sig = archiveSignature
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		signature: structpb.NewStringValue(sig),
		"path":    structpb.NewStringValue(f.Path),
		"hash":    structpb.NewStringValue(f.Hash),
	}})
}
