package schema

import "slices"

// Format is a file format that tables are stored in.
type Format int

// The file formats.
const (
	CSV     Format = iota // text: see CSVHeader for its rules
	Parquet               // columnar: see ParquetMessage
)

var formatNames = []string{"csv", "parquet"}

// String is the name in lower case; it is also the file extension without its dot.
func (f Format) String() string { return enumName("Format", formatNames, int(f)) }

// Known reports whether f is one of the declared formats.
func (f Format) Known() bool { return known(formatNames, int(f)) }

// ParseFormat is the format of the name, "csv" or "parquet". Any other name is an error that lists them.
func ParseFormat(name string) (Format, error) {
	i, err := parseEnum("format", formatNames, name)
	return Format(i), err
}

// Compressions are the codecs that a Parquet table may name, as Athena spells
// them in the table property parquet.compression.
var Compressions = []string{"SNAPPY", "ZSTD", "GZIP", "UNCOMPRESSED"}

// DefaultCompression is the codec of Parquet tables that name none.
const DefaultCompression = "SNAPPY"

func knownCompression(name string) bool { return slices.Contains(Compressions, name) }
