package asl

import (
	"engage/internal/localaws/asl/value"
)

// fields of each type besides Type, Comment and QueryLanguage.
var (
	ioFields       = []string{"InputPath", "OutputPath"}
	flowFields     = []string{"Next", "End", "Assign"}
	resultFields   = []string{"ResultPath", "ResultSelector"}
	handlingFields = []string{"Retry", "Catch"}
	stateFields    = map[StateType][]string{
		Pass:     join(ioFields, flowFields, []string{"Parameters", "Result", "ResultPath"}),
		Task:     join(ioFields, flowFields, resultFields, handlingFields, taskFields),
		Choice:   join(ioFields, []string{"Choices", "Default", "Assign"}),
		Wait:     join(ioFields, flowFields, []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}),
		Succeed:  join(ioFields),
		Fail:     join([]string{"Error", "ErrorPath", "Cause", "CausePath"}),
		Parallel: join(ioFields, flowFields, resultFields, handlingFields, []string{"Parameters", "Branches"}),
		Map:      join(ioFields, flowFields, resultFields, handlingFields, mapFields),
	}
	taskFields = []string{"Resource", "Parameters", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials"}
)

func join(lists ...[]string) []string {
	out := []string{"Type", "Comment", "QueryLanguage"}
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// state compiles one state. It never returns nil.
func (s *scope) state(name string) *State {
	st := &State{Name: name, Type: StateType(s.required("Type"))}
	fields, known := stateFields[st.Type]
	if !known {
		if st.Type != "" {
			s.schema("Type", "Value is not valid: '%s'. It must be one of Pass, Task, Choice, Wait, Succeed, Fail, Parallel, Map", st.Type)
		}
		return st
	}
	s.allow(fields...)
	s.text("Comment")
	s.queryLanguage()
	s.data(st)
	s.flow(st)
	switch st.Type {
	case Pass:
		st.Result, st.HasResult = s.object.Get("Result")
	case Task:
		st.Task = s.task()
	case Choice:
		s.choices(st)
	case Wait:
		st.Wait = s.wait()
	case Fail:
		st.Fail = s.fail()
	case Parallel:
		st.Branches = s.branches()
	case Map:
		st.Map = s.mapSpec(st)
	}
	return st
}

// data reads the fields that shape input and output; a field that the type has not is already noted.
func (s *scope) data(st *State) {
	st.InputPath, st.OutputPath = s.nullable("InputPath"), s.nullable("OutputPath")
	st.ResultPath = s.resultPath()
	st.Parameters, st.ResultSelector = s.template("Parameters"), s.objectTemplate("ResultSelector")
	st.Assign = s.assign()
	st.Retry, st.Catch = s.retriers(), s.catchers()
}

func (s *scope) flow(st *State) {
	switch st.Type {
	case Choice, Succeed, Fail:
		return
	}
	st.Next, st.End = s.text("Next"), s.boolean("End")
	switch {
	case s.has("Next") && s.has("End"):
		s.exclusive("Next", "End")
	case s.has("End") && !st.End:
		s.schema("End", "The value of 'End' must be true")
	case st.Next == "" && !st.End:
		s.schema("", "One of these fields is required: [Next, End]")
	}
}

func (s *scope) retriers() []Retrier {
	all := s.elements("Retry")
	var out []Retrier
	for i, r := range all {
		r.allow("ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment")
		one := Retrier{
			ErrorEquals:     r.errorNames(i == len(all)-1),
			IntervalSeconds: r.integer("IntervalSeconds", 1, maxSeconds, 1),
			MaxAttempts:     r.integer("MaxAttempts", 0, maxSeconds, 3),
			BackoffRate:     r.number("BackoffRate", 2),
			MaxDelaySeconds: r.positive("MaxDelaySeconds", 31_622_399),
		}
		if one.BackoffRate < 1 {
			r.schema("BackoffRate", "Value must be greater than or equal to 1.0")
		}
		if one.MaxDelaySeconds > 0 && one.MaxDelaySeconds <= one.IntervalSeconds {
			r.schema("MaxDelaySeconds", "Value must be greater than IntervalSeconds")
		}
		switch j := r.text("JitterStrategy"); j {
		case "", "NONE":
		case "FULL":
			one.FullJitter = true
		default:
			r.schema("JitterStrategy", "'%s' is not one of FULL, NONE", j)
		}
		out = append(out, one)
	}
	return out
}

func (s *scope) catchers() []Catcher {
	all := s.elements("Catch")
	var out []Catcher
	for i, c := range all {
		c.allow("ErrorEquals", "Next", "ResultPath", "Assign", "Comment")
		out = append(out, Catcher{ErrorEquals: c.errorNames(i == len(all)-1), Next: c.required("Next"), ResultPath: c.resultPath(), Assign: c.assign()})
	}
	return out
}

func (s *scope) task() *TaskSpec {
	t := &TaskSpec{Timeout: s.seconds("TimeoutSeconds", 1, maxSeconds), Heartbeat: s.seconds("HeartbeatSeconds", 1, maxSeconds), Credentials: s.objectTemplate("Credentials")}
	t.Resource = s.resource()
	if t.Heartbeat.Value > 0 && t.Timeout.Value > 0 && t.Heartbeat.Value >= t.Timeout.Value {
		s.schema("HeartbeatSeconds", "Value must be smaller than TimeoutSeconds")
	}
	if p, ok := s.object.Get("Parameters"); ok && !t.Resource.Lambda {
		if _, isObject := p.(*value.Object); !isObject {
			s.schema("Parameters", "Expected value of type Object")
		}
	}
	return t
}

func (s *scope) resource() Resource {
	text := s.required("Resource")
	if text == "" {
		return Resource{}
	}
	r, err := ParseResource(text)
	if err != nil {
		s.schema("Resource", "%s", err)
		return r
	}
	if s.parser.options.CheckResource != nil {
		if err := s.parser.options.CheckResource(r); err != nil {
			s.parser.add(CodeNotImplemented, s.where("Resource"), "%s", err)
		}
	}
	return r
}

func (s *scope) wait() *WaitSpec {
	if s.exclusive("Seconds", "SecondsPath", "Timestamp", "TimestampPath") == 0 {
		s.schema("", "One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]")
	}
	w := &WaitSpec{SecondsPath: s.reference("SecondsPath"), TimestampPath: s.reference("TimestampPath"), Timestamp: s.text("Timestamp")}
	if s.has("Seconds") {
		n := s.integer("Seconds", 0, maxSeconds, 0)
		w.Seconds = &n
	}
	if s.has("Timestamp") && !isTimestamp(w.Timestamp) {
		s.schema("Timestamp", "String does not match RFC3339 timestamp")
	}
	return w
}

func (s *scope) fail() *FailSpec {
	s.exclusive("Error", "ErrorPath")
	s.exclusive("Cause", "CausePath")
	return &FailSpec{Error: s.text("Error"), Cause: s.text("Cause"), ErrorPath: s.expression("ErrorPath"), CausePath: s.expression("CausePath")}
}

func (s *scope) branches() []*Machine {
	all := s.elements("Branches")
	if len(all) == 0 && !s.has("Branches") {
		s.schema("", "These fields are required: [Branches]")
	} else if len(all) == 0 {
		s.schema("Branches", "there must be at least one branch")
	}
	var out []*Machine
	for _, b := range all {
		out = append(out, b.machine())
	}
	return out
}

func (s *scope) choices(st *State) {
	st.Default = s.text("Default")
	all := s.elements("Choices")
	if len(all) == 0 {
		s.schema("", "These fields are required: [Choices]")
	}
	for _, c := range all {
		st.Choices = append(st.Choices, c.rule(true))
	}
}

// rule compiles a choice rule; only one at the top has Next.
func (s *scope) rule(top bool) *Rule {
	r := &Rule{}
	if top {
		r.Next, r.Assign = s.required("Next"), s.assign()
	} else if s.has("Next") {
		s.schema("Next", "Only a rule at the top may have 'Next'")
	}
	s.text("Comment")
	switch {
	case s.exclusive("And", "Or", "Not", "Variable") != 1:
		if !s.has("Condition") {
			s.schema("", "One of these fields is required: [And, Or, Not, Variable]")
		}
		s.allow("Next", "Comment", "Assign", "And", "Or", "Not", "Variable")
	case s.has("Variable"):
		s.comparison(r)
	default:
		s.allow("Next", "Comment", "Assign", "And", "Or", "Not")
		r.and, r.or = s.rules("And"), s.rules("Or")
		if not, ok := s.child("Not"); ok {
			r.not = not.rule(false)
		}
	}
	return r
}

func (s *scope) rules(field string) []*Rule {
	if !s.has(field) {
		return nil
	}
	var out []*Rule
	for _, c := range s.elements(field) {
		out = append(out, c.rule(false))
	}
	if len(out) == 0 {
		s.schema(field, "there must be at least one rule")
	}
	return out
}

func (s *scope) comparison(r *Rule) {
	r.variable = s.path("Variable")
	found := 0
	for _, k := range s.object.Keys() {
		switch k {
		case "Variable", "Comment", "Next", "Assign":
			continue
		}
		c, isPath, ok := operatorFor(k)
		if !ok {
			s.schema(k, "Field '%s' is not a comparison", k)
			continue
		}
		if found++; found > 1 {
			s.schema("", "Only one comparison is allowed in a rule")
			return
		}
		s.operand(r, k, c, isPath)
	}
	if found == 0 {
		s.schema("", "A comparison is required")
	}
}

func (s *scope) operand(r *Rule, field string, c comparison, isPath bool) {
	r.compare = c
	if isPath {
		r.other = s.path(field)
		return
	}
	r.operand, _ = s.object.Get(field)
	if !c.accepts(r.operand) {
		s.schema(field, "The value of '%s' is not of the operator's type", field)
	}
}
