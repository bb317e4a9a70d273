package policy

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// world draws small requests and policies over a vocabulary in which matches are likely.
type world struct {
	t   testing.TB
	rng *rand.Rand
}

func (w world) pick(all ...string) string { return all[w.rng.IntN(len(all))] }

func (w world) line(effect string, kind Kind) string {
	who := "-"
	if kind == Resource {
		who = w.pick("*", here, there, worker(here).RoleARN, worker(here).ARN, root(here).ARN, "logs.amazonaws.com")
		if effect == "Deny" && w.rng.IntN(4) == 0 && who != "*" {
			who = "!" + who
		}
	}
	return effect + " " + who + " " + w.pick("*", "s3:*", "s3:Get*", "s3:PutObject", "sqs:*") + " " +
		w.pick("*", "arn:aws:s3:::a/*", "arn:aws:s3:::a/k?", "arn:aws:s3:::b")
}

func (w world) lines(kind Kind) []string {
	var all []string
	for range w.rng.IntN(4) {
		all = append(all, w.line(w.pick("Allow", "Allow", "Deny"), kind))
	}
	return all
}

// set is the uncompiled form of Policies, so that statements can be added and removed.
type set struct {
	identity, boundary, session, resource []string
	account                               string
	decides                               bool
}

func (w world) compile(s set) Policies {
	doc := func(kind Kind, lines []string) *Document {
		if lines == nil {
			return nil
		}
		if len(lines) == 0 {
			return &Document{Version: version2012}
		}
		return must(w.t, kind, lines...)
	}
	p := Policies{Boundary: doc(Identity, s.boundary), Resource: doc(Resource, s.resource), ResourceAccount: s.account, ResourceDecides: s.decides}
	if d := doc(Identity, s.identity); d != nil {
		p.Identity = []*Document{d}
	}
	if d := doc(Identity, s.session); d != nil {
		p.Session = []*Document{d}
	}
	return p
}

func (w world) draw() (Request, set) {
	who := []Principal{worker(here), worker(there), root(here), {}, {Kind: Service, Service: "logs.amazonaws.com"},
		{Kind: User, Account: here, ARN: "arn:aws:iam::000000000000:user/u"}}
	r := Request{Principal: who[w.rng.IntN(len(who))], Action: w.pick("s3:GetObject", "s3:PutObject", "sqs:SendMessage"),
		Resource: w.pick("arn:aws:s3:::a/k1", "arn:aws:s3:::a/other", "arn:aws:s3:::b")}
	return r, set{w.lines(Identity), w.lines(Identity), w.lines(Identity), w.lines(Resource), w.pick("", here, there), w.rng.IntN(4) == 0}
}

// documents points at each list of a set and tells its kind.
func (s *set) documents() map[*[]string]Kind {
	return map[*[]string]Kind{&s.identity: Identity, &s.boundary: Identity, &s.session: Identity, &s.resource: Resource}
}

func checkProperties(t *testing.T, seed uint64) {
	w := world{t, rand.New(rand.NewPCG(seed, 7))}
	r, s := w.draw()
	before := Evaluate(r, w.compile(s))
	if before.Allowed && (before.Explicit || before.Reason != "") || !before.Allowed && before.Reason == "" {
		t.Fatalf("seed %d: contradictory decision %+v", seed, before)
	}
	if denied := deniedSomewhere(w, r, s); denied && before.Allowed {
		t.Fatalf("seed %d: a matching deny did not override: %+v", seed, s)
	}
	for lines, kind := range s.documents() {
		if *lines == nil {
			continue // adding a boundary or session is another matter
		}
		kept := slices.Clone(*lines)
		*lines = append(slices.Clone(kept), w.line("Deny", kind))
		if !before.Allowed && Evaluate(r, w.compile(s)).Allowed {
			t.Fatalf("seed %d: adding a deny allowed more: %+v", seed, s)
		}
		for i, line := range kept {
			*lines = slices.Delete(slices.Clone(kept), i, i+1)
			after := Evaluate(r, w.compile(s))
			if line[:5] == "Allow" && !before.Allowed && after.Allowed {
				t.Fatalf("seed %d: removing %q allowed more", seed, line)
			}
			if line[:4] == "Deny" && before.Allowed && !after.Allowed {
				t.Fatalf("seed %d: removing %q allowed less", seed, line)
			}
		}
		*lines = kept
	}
}

// deniedSomewhere finds a matching deny by evaluating each deny alone beside what would allow everything.
func deniedSomewhere(w world, r Request, s set) bool {
	r.action = ""
	for lines, kind := range s.documents() {
		for _, line := range *lines {
			if line[:4] != "Deny" {
				continue
			}
			alone := set{resource: []string{"Allow * * *"}}
			if kind == Resource {
				alone.resource = append(alone.resource, line)
			} else {
				alone.identity = []string{line}
			}
			if !Evaluate(r, w.compile(alone)).Allowed {
				return true
			}
		}
	}
	return false
}

func TestEvaluationProperties(t *testing.T) {
	for seed := range uint64(800) {
		checkProperties(t, seed)
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkProperties)
}

// FuzzEvaluateText evaluates arbitrary documents: no panic, and a deny of everything always wins.
func FuzzEvaluateText(f *testing.F) {
	f.Add(good, "s3:GetObject", "arn:aws:s3:::data/x", "aws:principaltag/team", "a")
	f.Fuzz(func(t *testing.T, text, action, resource, key, value string) {
		doc, err := Parse(Identity, text)
		if err != nil {
			t.Skip()
		}
		r := Request{Principal: worker(here), Action: action, Resource: resource, Keys: Keys{}}
		r.Keys.Set(key, value)
		d := Evaluate(r, Policies{Identity: []*Document{doc}})
		if d.Allowed && d.Explicit {
			t.Errorf("allowed and explicitly denied: %+v", d)
		}
		if Evaluate(r, Policies{Identity: []*Document{doc, must(t, Identity, "Deny - * *")}}).Allowed {
			t.Error("a deny of everything did not win")
		}
	})
}
