package accesslog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 2, 6, 12, 0, 38, 0, time.UTC)

func TestLine(t *testing.T) {
	full := Entry{
		Owner: "79a5", Bucket: "b", Time: noon, RemoteIP: "192.0.2.3", Requester: "79a5", RequestID: "3E57", Operation: "REST.GET.OBJECT", Key: "a b/ü",
		Request: "GET /b/a%20b HTTP/1.1", Status: 200, BytesSent: 113, ObjectSize: 2662992, Total: 70 * time.Millisecond, TurnAround: 10 * time.Millisecond,
		Referer: `http://"x`, UserAgent: "sdk/1 b\n", VersionID: "v1", HostID: "h=", Signature: "SigV4", Auth: "AuthHeader", Host: "localhost:4566",
	}
	want := `79a5 b [06/Feb/2026:12:00:38 +0000] 192.0.2.3 79a5 3E57 REST.GET.OBJECT a%20b/%C3%BC "GET /b/a%20b HTTP/1.1" 200 - 113 2662992 70 10 ` +
		`"http://%22x" "sdk/1 b_" v1 h= SigV4 - AuthHeader localhost:4566 - - - -` + "\n"
	if got := full.Line(); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	want = `- - [06/Feb/2026:12:00:38 +0000] - - - - - "-" - - - - - - "-" "-" - - - - - - - - - -` + "\n"
	if got := (Entry{Time: noon}).Line(); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestParse(t *testing.T) {
	document := func(content string) string {
		return `<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + content + `</BucketLoggingStatus>`
	}
	enabled := func(format string) string {
		return document("<LoggingEnabled><TargetBucket>t</TargetBucket><TargetPrefix>p/</TargetPrefix>" + format + "</LoggingEnabled>")
	}
	format := func(content string) string {
		return enabled("<TargetObjectKeyFormat>" + content + "</TargetObjectKeyFormat>")
	}
	partitioned := func(source string) string {
		return format("<PartitionedPrefix><PartitionDateSource>" + source + "</PartitionDateSource></PartitionedPrefix>")
	}
	source := Source{"111122223333", "eu-west-1", "b"}
	for name, c := range map[string]struct{ doc, key string }{
		"off":           {document(""), ""},
		"no format":     {enabled(""), "p/2026-02-07-00-05-01-U"},
		"simple":        {format("<SimplePrefix/>"), "p/2026-02-07-00-05-01-U"},
		"by event":      {partitioned("EventTime"), "p/111122223333/eu-west-1/b/2026/02/06/2026-02-06-00-00-00-U"},
		"by delivery":   {partitioned("DeliveryTime"), "p/111122223333/eu-west-1/b/2026/02/07/2026-02-07-00-05-01-U"},
		"partitioned":   {format("<PartitionedPrefix/>"), "p/111122223333/eu-west-1/b/2026/02/06/2026-02-06-00-00-00-U"},
		"both":          {format("<SimplePrefix/><PartitionedPrefix/>"), "!"},
		"neither":       {format(""), "!"},
		"other time":    {partitioned("Noon"), "!"},
		"no bucket":     {document("<LoggingEnabled/>"), "!"},
		"no XML at all": {"{}", "!"},
	} {
		to, err := Parse([]byte(c.doc))
		switch {
		case c.key == "!":
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: got %+v, %v", name, to, err)
			}
		case err != nil || (to == nil) != (c.key == ""):
			t.Errorf("%s: got %+v, %v", name, to, err)
		case to != nil && to.Key(source, noon, noon.Add(12*time.Hour+4*time.Minute+23*time.Second), "U") != c.key:
			t.Errorf("%s: got %s, want %s", name, to.Key(source, noon, noon.Add(12*time.Hour+4*time.Minute+23*time.Second), "U"), c.key)
		}
	}
}

func add(t *testing.T, s *Spool, lines ...Line) {
	t.Helper()
	if _, err := s.Add(lines...); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Spool {
	t.Helper()
	s, err := OpenSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns the texts of all batches of all complete files.
func read(t *testing.T, s *Spool) (texts []string) {
	t.Helper()
	files, err := s.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		batches, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			texts = append(texts, string(b.Text))
		}
	}
	return texts
}

func TestSpoolGroupsByTargetAndDay(t *testing.T) {
	s := open(t, t.TempDir())
	daily := Target{Bucket: "t", Format: &KeyFormat{Partitioned: &Partitioned{}}}
	line := func(to Target, source string, day int, text string) Line {
		return Line{Target: to, Source: Source{Bucket: source}, Time: noon.AddDate(0, 0, day), Text: text}
	}
	add(t, s, line(daily, "a", 0, "1"), line(daily, "b", 0, "2"), line(daily, "a", 1, "3"))
	add(t, s, line(Target{Bucket: "t"}, "a", 0, "4"), line(daily, "a", 0, "5"), line(Target{Bucket: "t"}, "a", 1, "6"))
	if err := s.Seal(noon.Add(-time.Second)); err != nil || read(t, s) != nil {
		t.Errorf("lines were complete before their time: %v %v", read(t, s), err)
	}
	if err := s.Seal(noon); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(read(t, s), " "); got != "15 2 3 46" {
		t.Errorf("got %s", got)
	}
}

// A killed process leaves an open file, whose last line may be half there.
func TestSpoolSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	add(t, open(t, dir), Line{Text: "1"}, Line{Text: "2"})
	path := filepath.Join(dir, openName)
	raw, err := os.ReadFile(path)
	if err != nil || os.WriteFile(path, raw[:len(raw)-3], 0o600) != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	add(t, s, Line{Text: "3"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(read(t, open(t, dir)), " "); got != "1 3" {
		t.Errorf("got %s", got)
	}
}

func TestSpoolCompletesLongFiles(t *testing.T) {
	s := open(t, t.TempDir())
	text := strings.Repeat("x", maxSpool/4)
	for i := range 9 {
		full, err := s.Add(Line{Text: text})
		if err != nil || full != (i%4 == 3) {
			t.Errorf("line %d: %v %v", i, full, err)
		}
	}
	if files, err := s.Sealed(); err != nil || len(files) != 2 {
		t.Errorf("got %v, %v", files, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<BucketLoggingStatus><LoggingEnabled><TargetBucket>t</TargetBucket></LoggingEnabled></BucketLoggingStatus>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if to, err := Parse(doc); err == nil && to != nil && !to.valid() {
			t.Errorf("%q gives %+v", doc, to)
		}
	})
}

func FuzzLineHasItsFields(f *testing.F) {
	f.Add("k", `"`, "a b")
	f.Fuzz(func(t *testing.T, key, agent, request string) {
		line := Entry{Key: key, UserAgent: agent, Request: request, Host: agent}.Line()
		if strings.Count(line, "\n") != 1 || strings.Count(line, `"`) != 6 {
			t.Errorf("%q", line)
		}
	})
}
