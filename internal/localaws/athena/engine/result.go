package engine

import (
	"bufio"
	"encoding/binary"
	"strings"
)

// metadata is the content of a result's .metadata file: a protocol buffer that AWS does not
// document, with the query's id as field 1 and a message for each column as field 4
// (fields as read by https://github.com/burtcorp/athena-jdbc, AthenaMetaDataParser).
func metadata(id string, columns []Column) []byte {
	out := protoText(nil, 1, id)
	for _, c := range columns {
		m := protoText(nil, 1, "hive")
		m = protoText(m, 4, c.Name)
		m = protoText(m, 5, c.Name)
		m = protoText(m, 6, c.Type)
		m = protoInt(m, 7, uint64(c.Precision))
		m = protoInt(m, 8, uint64(c.Scale))
		m = protoInt(m, 9, 3) // nullable: unknown
		if c.CaseSensitive {
			m = protoInt(m, 10, 1)
		}
		out = protoText(out, 4, string(m))
	}
	return out
}

func protoText(b []byte, field uint64, s string) []byte {
	b = binary.AppendUvarint(b, field<<3|2)
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func protoInt(b []byte, field, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, field<<3), v)
}

// textColumn is a column of what DDL prints.
func textColumn(name string) Column { return Column{Name: name, Type: "string"} }

// writeText writes the .txt file of DDL: a line a row, its values between tabs.
func (r *run) writeText(columns []Column, rows [][]string) error {
	r.res.Columns, r.res.Rows = columns, int64(len(rows))
	return r.writeFile(".txt", func(w *bufio.Writer) error {
		for _, row := range rows {
			w.WriteString(strings.Join(row, "\t"))
			w.WriteByte('\n')
		}
		return nil
	})
}
