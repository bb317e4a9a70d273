package asl

import (
	"slices"
	"unicode/utf8"
)

var (
	distributedFields = []string{"ItemReader", "ItemBatcher", "ResultWriter", "ToleratedFailureCount", "ToleratedFailureCountPath",
		"ToleratedFailurePercentage", "ToleratedFailurePercentagePath", "Label"}
	mapFields = append([]string{"ItemsPath", "ItemSelector", "Parameters", "ItemProcessor", "Iterator", "MaxConcurrency", "MaxConcurrencyPath"}, distributedFields...)
)

// mapSpec compiles a Map state. Iterator and Parameters are the older names of ItemProcessor and ItemSelector.
func (s *scope) mapSpec(st *State) *MapSpec {
	m := &MapSpec{ItemsPath: s.path("ItemsPath"), ItemSelector: s.template("ItemSelector"), Concurrency: s.seconds("MaxConcurrency", 0, maxSeconds)}
	if s.exclusive("ItemSelector", "Parameters"); m.ItemSelector == nil {
		m.ItemSelector = st.Parameters
	}
	st.Parameters = nil
	if s.exclusive("ItemProcessor", "Iterator") == 0 {
		s.schema("", "These fields are required: [ItemProcessor]")
	}
	if it, ok := s.child("Iterator"); ok {
		m.Processor = it.machine()
	}
	if ip, ok := s.child("ItemProcessor"); ok {
		m.Processor = ip.machine("ProcessorConfig")
		m.Distributed, m.Express = ip.processorConfig()
	}
	s.tolerance(m)
	if m.Distributed {
		s.distributed(m)
		return m
	}
	for _, f := range distributedFields {
		if s.has(f) && !slices.Contains([]string{"ToleratedFailureCount", "ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"}, f) {
			s.schema(f, "Field '%s' is only supported when the mode of the processor is DISTRIBUTED", f)
		}
	}
	return m
}

func (s *scope) processorConfig() (distributed, express bool) {
	c, ok := s.child("ProcessorConfig")
	if !ok {
		return false, false
	}
	c.allow("Mode", "ExecutionType")
	kind := c.text("ExecutionType")
	switch mode := c.text("Mode"); mode {
	case "DISTRIBUTED":
		if kind != "STANDARD" && kind != "EXPRESS" {
			c.schema("ExecutionType", "ExecutionType must be STANDARD or EXPRESS when the mode is DISTRIBUTED")
		}
		return true, kind == "EXPRESS"
	case "", "INLINE":
		if kind != "" {
			c.schema("ExecutionType", "ExecutionType is only supported when the mode is DISTRIBUTED")
		}
	default:
		c.schema("Mode", "'%s' is not one of INLINE, DISTRIBUTED", mode)
	}
	return false, false
}

func (s *scope) tolerance(m *MapSpec) {
	m.ToleratedCount = s.limit("ToleratedFailureCount", 1e9)
	m.ToleratedShare = s.limit("ToleratedFailurePercentage", 100)
}

func (s *scope) limit(field string, high float64) Limit {
	s.exclusive(field, field+"Path")
	l := Limit{Value: s.number(field, 0), Path: s.reference(field + "Path"), Set: s.has(field) || s.has(field+"Path")}
	if l.Value < 0 || l.Value > high {
		s.schema(field, "Value must be between 0 and %g", high)
	}
	return l
}

func (s *scope) distributed(m *MapSpec) {
	m.Label = s.text("Label")
	if utf8.RuneCountInString(m.Label) > 40 {
		s.schema("Label", "Label length must be at most 40 characters")
	}
	if s.has("ItemReader") {
		m.Reader = s.reader()
	}
	if b, ok := s.child("ItemBatcher"); ok {
		b.allow("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", "BatchInput")
		m.Batcher = &BatcherSpec{MaxItems: b.seconds("MaxItemsPerBatch", 1, 1e8), MaxBytes: b.seconds("MaxInputBytesPerBatch", 1, 262_144), Input: b.objectTemplate("BatchInput")}
		if m.Batcher.MaxItems == (Seconds{}) && m.Batcher.MaxBytes == (Seconds{}) {
			b.schema("", "One of these fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]")
		}
	}
	if w, ok := s.child("ResultWriter"); ok {
		w.allow("Resource", "Parameters")
		m.Writer = &WriterSpec{Resource: w.only("s3:putObject"), Parameters: w.objectTemplate("Parameters")}
	}
}

// only reads a resource that must be one of those named.
func (s *scope) only(names ...string) Resource {
	text := s.required("Resource")
	if text == "" {
		return Resource{}
	}
	r, err := ParseResource(text)
	if err != nil || !slices.Contains(names, r.Name()) {
		s.schema("Resource", "the resource '%s' is not one of %v", text, names)
		return r
	}
	if s.parser.options.CheckResource != nil {
		if err := s.parser.options.CheckResource(r); err != nil {
			s.parser.add(CodeNotImplemented, s.where("Resource"), "%s", err)
		}
	}
	return r
}

func (s *scope) reader() *ReaderSpec {
	r, ok := s.child("ItemReader")
	if !ok {
		return nil
	}
	r.allow("Resource", "Parameters", "ReaderConfig")
	spec := &ReaderSpec{Resource: r.only("s3:getObject", "s3:listObjectsV2"), Parameters: r.objectTemplate("Parameters"), Delimiter: ','}
	c, ok := r.child("ReaderConfig")
	if ok {
		c.readerConfig(spec)
	}
	switch {
	case spec.Resource.Action == "getObject" && spec.InputType == "":
		r.schema("", "ReaderConfig with an InputType is required to read an object")
	case spec.Resource.Action == "listObjectsV2" && spec.InputType != "":
		c.schema("InputType", "InputType is not supported for listObjectsV2")
	}
	return spec
}

var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

func (s *scope) readerConfig(spec *ReaderSpec) {
	s.allow("InputType", "MaxItems", "MaxItemsPath", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")
	spec.InputType, spec.MaxItems = s.text("InputType"), s.seconds("MaxItems", 0, 1e8)
	switch spec.InputType {
	case "", "JSON", "JSONL", "MANIFEST", "CSV":
	default:
		s.parser.add(CodeNotImplemented, s.where("InputType"), "The input type '%s' is not implemented: CSV, JSON, JSONL and MANIFEST are", spec.InputType)
	}
	if spec.InputType != "CSV" {
		return
	}
	d, ok := delimiters[s.text("CSVDelimiter")]
	if !ok {
		s.schema("CSVDelimiter", "'%s' is not one of COMMA, PIPE, SEMICOLON, SPACE, TAB", s.text("CSVDelimiter"))
	}
	spec.Delimiter = d
	switch loc := s.text("CSVHeaderLocation"); loc {
	case "FIRST_ROW":
	case "GIVEN":
		spec.CSVHeaders = s.headers()
	default:
		s.schema("CSVHeaderLocation", "CSVHeaderLocation must be FIRST_ROW or GIVEN")
	}
}

func (s *scope) headers() []string {
	v, _ := s.object.Get("CSVHeaders")
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if h, ok := e.(string); ok {
			out = append(out, h)
		}
	}
	if len(out) == 0 || len(out) != len(list) {
		s.schema("CSVHeaders", "Expected a non-empty Array of Strings")
	}
	return out
}
