package lambda

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// versions are what was published of functions, by their key and number. They do not change.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
var versions = state.NewCollection[function]("lambda/versions")

func versionKey(function string, n int) string {
	return state.Key(function, state.Ordinal(uint64(n)))
}

// resolve returns what a qualifier names: $LATEST, a version, or the version
// that is chosen of an alias.
func resolve(tx state.Tx, r ref, choose func(alias) string) (function, error) {
	f, err := get(tx, r)
	if err != nil {
		return f, err
	}
	number := orDefault(r.qualifier, latest)
	if number != latest && !isNumber(number) {
		a, err := aliases.Get(tx, state.Key(r.key(), number))
		if errors.Is(err, state.ErrNotFound) {
			return f, notFound("Function not found: %s", r.arn())
		}
		if err != nil {
			return f, err
		}
		number = choose(a)
	}
	if number != latest {
		f, err = f.at(tx, number)
	}
	f.qualifier = r.qualifier
	return f, err
}

func isNumber(qualifier string) bool {
	_, err := strconv.ParseUint(qualifier, 10, 31)
	return err == nil
}

// at returns a version of the function.
func (f *function) at(tx state.Tx, number string) (function, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return function{}, notFound("Function not found: %s:%s", f.arn(), number)
	}
	v, err := versions.Get(tx, versionKey(f.key(), n))
	if errors.Is(err, state.ErrNotFound) {
		return v, notFound("Function not found: %s:%s", f.arn(), number)
	}
	v.Reserved, v.Policies, v.EventConfigs, v.Tags = f.Reserved, f.Policies, f.EventConfigs, f.Tags
	v.qualifier = number
	return v, err
}

// publishVersion keeps the function as it is as its next version. One that has
// not changed since the last version is not published again. REQUIRES: the
// caller keeps the function.
func publishVersion(tx state.Tx, f *function, description *string) (function, error) {
	if f.Published > 0 {
		last, err := f.at(tx, strconv.Itoa(f.Published))
		if err == nil && last.same(f) || err != nil && !wire.IsCode(err, "ResourceNotFoundException") {
			return last, err
		}
	}
	f.Published++
	v := *f
	v.Version, v.Revision = strconv.Itoa(f.Published), newUUID()
	v.Settings.Description = given(description, v.Settings.Description)
	v.Reserved, v.Policies, v.EventConfigs, v.Tags = nil, nil, nil, nil
	v.qualifier = v.Version
	return v, versions.Put(tx, versionKey(f.key(), f.Published), v)
}

// same reports whether code and settings are those of another version,
// whatever their descriptions.
func (f *function) same(other *function) bool {
	a, b := f.Settings, other.Settings
	a.Description, b.Description = nil, nil
	return f.Code.ID == other.Code.ID && marshal(a) == marshal(b)
}

// PublishVersionInput is the input of PublishVersion.
type PublishVersionInput struct {
	FunctionName string `uri:"FunctionName" json:"-"`
	CodeSha256   string
	Description  *string `max:"256"`
	RevisionId   string
}

func (s *Service) publishVersion(_ context.Context, call *wire.Call, in *PublishVersionInput) (*createOutput, error) {
	var v function
	_, err := s.edit(call.Caller, in.FunctionName, in.RevisionId, func(tx state.Tx, f *function) (err error) {
		if s.cfg.Clock.Now().Before(f.ActiveAt) {
			return conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
		}
		if in.CodeSha256 != "" && in.CodeSha256 != f.Code.Sha256 {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", in.CodeSha256, f.Code.Sha256)
		}
		v, err = publishVersion(tx, f, in.Description)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &createOutput{*v.describe(s.cfg.Clock.Now()), 201}, nil
}

// deleteVersion removes a published version that no alias names.
func (s *Service) deleteVersion(r ref) error {
	if r.qualifier == latest {
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if !isNumber(r.qualifier) {
		return invalid("Deletion of aliases is not currently supported.")
	}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		f, err := get(tx, r)
		if err != nil {
			return err
		}
		if _, err := f.at(tx, r.qualifier); err != nil {
			return err
		}
		all, err := aliases.List(tx, r.key()+"\x00", "", 0)
		for _, e := range all {
			if a := e.Value; a.names(r.qualifier) {
				return conflict("Unable to delete version because the following aliases reference it: [%s]", a.Name)
			}
		}
		n, _ := strconv.Atoi(r.qualifier) // at has found it
		return errors.Join(err, versions.Delete(tx, versionKey(f.key(), n)), f.forget(tx, r.qualifier))
	})
	if err != nil {
		return err
	}
	return s.pools.retire(r.key(), func(version string) bool { return version == r.qualifier })
}

// forget removes what is kept for a qualifier that is gone.
func (f *function) forget(tx state.Tx, qualifier string) error {
	delete(f.Policies, qualifier)
	delete(f.EventConfigs, qualifier)
	return functions.Put(tx, f.key(), *f)
}

// listVersionsInput is the input of ListVersionsByFunction.
type listVersionsInput struct {
	FunctionName string `uri:"FunctionName" json:"-"`
	Marker       string `query:"Marker" json:"-"`
	MaxItems     *int   `query:"MaxItems" json:"-" min:"1" max:"10000"`
}

// VersionsOutput is the output of ListVersionsByFunction.
type VersionsOutput struct {
	Versions   []*FunctionConfiguration
	NextMarker *string
}

func (s *Service) listVersions(_ context.Context, call *wire.Call, in *listVersionsInput) (*VersionsOutput, error) {
	r, err := parseRef(call.Caller, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var all []*FunctionConfiguration
	err = s.cfg.Store.View(func(tx state.Tx) error {
		f, err := get(tx, r)
		if err != nil {
			return err
		}
		all, err = s.describeVersions(tx, f)
		return err
	})
	out := &VersionsOutput{}
	out.Versions, out.NextMarker = pageAfter(all, in.Marker, in.MaxItems, func(d *FunctionConfiguration) string { return d.Version })
	return out, err
}

// describeVersions returns $LATEST and what was published, the oldest first.
func (s *Service) describeVersions(tx state.Tx, f function) ([]*FunctionConfiguration, error) {
	f.qualifier = latest
	now := s.cfg.Clock.Now()
	all := []*FunctionConfiguration{f.describe(now)}
	published, err := versions.List(tx, f.key()+"\x00", "", 0)
	for _, e := range published {
		e.Value.qualifier = e.Value.Version
		all = append(all, e.Value.describe(now))
	}
	return all, err
}

// listAllVersions is ListFunctions with the FunctionVersion ALL.
func (s *Service) listAllVersions(c wire.Caller, marker string, size int) (*ListFunctionsOutput, error) {
	all := []*FunctionConfiguration{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		found, err := functions.List(tx, state.Prefix(c.Account, c.Region), "", 0)
		for _, e := range found {
			of, listErr := s.describeVersions(tx, e.Value)
			all, err = append(all, of...), cmp.Or(err, listErr)
		}
		return err
	})
	out := &ListFunctionsOutput{}
	out.Functions, out.NextMarker = pageAfter(all, marker, &size, func(d *FunctionConfiguration) string { return d.FunctionArn })
	return out, err
}

// pageAfter cuts the items that follow the one a marker names; the marker of
// the next page names the last one of this.
func pageAfter[T any](items []T, marker string, most *int, name func(T) string) ([]T, *string) {
	size := 50
	if most != nil {
		size = min(*most, size)
	}
	for i, item := range items {
		if marker != "" && name(item) == marker {
			items = items[i+1:]
			break
		}
	}
	if len(items) <= size {
		return append([]T{}, items...), nil
	}
	return items[:size], new(name(items[size-1]))
}
