package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"engage/internal/localaws/athena/sql"
)

// place gives each file the path by which DuckDB will read it, in a folder
// below dir that is named by what the files are: key=value for each partition
// key, in which DuckDB finds the values and leaves out files, and a number.
func (s *scan) place(dir string) error {
	sum := sha256.New()
	for _, k := range s.table.PartitionKeys {
		fmt.Fprintf(sum, "%q ", k.Name)
	}
	for _, f := range s.files {
		fmt.Fprintf(sum, "%q %d %d %q\n", f.Path, f.Size, f.changed, f.values)
	}
	s.folder = filepath.Join(dir, hex.EncodeToString(sum.Sum(nil)[:16]))
	if err := s.checkFolder(); err != nil {
		return err
	}
	for i := range s.files {
		suffix, err := s.suffix(s.files[i].URI)
		if err != nil {
			return err
		}
		parts := []string{s.folder}
		for k, v := range s.files[i].values {
			part := s.table.PartitionKeys[k].Name + "=" + escapePath(v)
			if len(part) > maxPart {
				return sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: a partition value of %d bytes is too long for a file name", s.table.Database, s.table.Name, len(v))
			}
			parts = append(parts, part)
		}
		s.files[i].local = filepath.Join(append(parts, strconv.Itoa(i)+suffix)...)
	}
	return nil
}

// maxPart is the longest name that file systems take, in bytes.
const maxPart = 255

// checkFolder fails where DuckDB would take a part of the directory itself for a column of the table.
func (s *scan) checkFolder() error {
	for _, part := range strings.Split(filepath.ToSlash(s.folder), "/") {
		key, _, ok := strings.Cut(part, "=")
		if ok && len(s.table.PartitionKeys) > 0 && s.declares(key) {
			return sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: its column %s cannot be told from the directory %q of the engine", s.table.Database, s.table.Name, key, part)
		}
	}
	return nil
}

func (s *scan) declares(name string) bool {
	for _, c := range s.table.Storage.Columns {
		if strings.EqualFold(c.Name, name) {
			return true
		}
	}
	for _, k := range s.table.PartitionKeys {
		if strings.EqualFold(k.Name, name) {
			return true
		}
	}
	return false
}

// suffix tells DuckDB how a text file is compressed, which Hive reads off its name as well.
func (s *scan) suffix(uri string) (string, error) {
	if !s.text {
		return ".parquet", nil
	}
	switch ext := strings.ToLower(path.Ext(uri)); ext {
	case ".gz":
		return ".csv.gz", nil
	case ".zst":
		return ".csv.zst", nil
	case ".bz2", ".deflate", ".lz4", ".lzo", ".snappy":
		return "", sql.Errorf(sql.NotSupported, sql.Pos{}, "%s: compression of text by %s is not supported; there are .gz and .zst", uri, ext)
	}
	return ".csv", nil
}
