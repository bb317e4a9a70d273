package dynamodb

import (
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// splitTable returns account, region and name of the table that a request
// names, which may be by its ARN.
func splitTable(call *wire.Call, name string) (account, region, table string) {
	if parts := strings.Split(name, ":"); len(parts) == 6 && parts[0] == "arn" {
		return parts[4], parts[3], strings.TrimPrefix(parts[5], "table/")
	}
	return call.Caller.Account, call.Caller.Region, name
}

// access is an action on a table, or on its index.
func access(call *wire.Call, action, name, index string) wire.Access {
	account, region, table := splitTable(call, name)
	a := wire.Access{Action: "dynamodb:" + action, Owner: account, Resource: "arn:aws:dynamodb:" + region + ":" + account + ":table/" + table}
	if index != "" {
		a.Resource += "/index/" + index
	}
	return a
}

func onTable[I any](action string, name func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access { return []wire.Access{access(call, action, name(in), "")} }
}

func onARN[I any](action string, arn func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		account, _, _ := splitTable(call, arn(in))
		return []wire.Access{{Action: "dynamodb:" + action, Owner: account, Resource: arn(in)}}
	}
}

// keys are items of which the partition key counts.
type keys []attr.Item

// itemAccess is an action on items, with the condition key dynamodb:LeadingKeys.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func (s *Service) itemAccess(call *wire.Call, action, name string, items keys) wire.Access {
	a := access(call, action, name, "")
	t, err := s.find(call, name)
	if err != nil {
		return a // a table that is not there is the operation's to refuse
	}
	var leading []string
	for _, item := range items {
		if v, there := item[t.Keys.hash()]; there {
			leading = append(leading, v.Text)
		}
	}
	if leading != nil {
		a.Conditions = map[string][]string{"dynamodb:LeadingKeys": leading}
	}
	return a
}

func onItem[I any](s *Service, action string, item func(*I) (string, keys)) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		name, items := item(in)
		return []wire.Access{s.itemAccess(call, action, name, items)}
	}
}

// items is itemAccess for each table.
func (s *Service) items(call *wire.Call, action string, byTable map[string]keys) []wire.Access {
	var all []wire.Access
	for _, name := range slices.Sorted(maps.Keys(byTable)) {
		all = append(all, s.itemAccess(call, action, name, byTable[name]))
	}
	return all
}

func (s *Service) batchGetAccess(call *wire.Call, in *batchGetInput) []wire.Access {
	byTable := map[string]keys{}
	for name, wanted := range in.RequestItems {
		byTable[name] = wanted.Keys
	}
	return s.items(call, "BatchGetItem", byTable)
}

func (s *Service) batchWriteAccess(call *wire.Call, in *batchWriteInput) []wire.Access {
	byTable := map[string]keys{}
	for name, requests := range in.RequestItems {
		for _, r := range requests {
			byTable[name] = append(byTable[name], r.item())
		}
	}
	return s.items(call, "BatchWriteItem", byTable)
}

func (s *Service) transactGetAccess(call *wire.Call, in *transactGetInput) []wire.Access {
	byTable := map[string]keys{}
	for _, t := range in.TransactItems {
		if t.Get != nil {
			byTable[t.Get.TableName] = append(byTable[t.Get.TableName], t.Get.Key)
		}
	}
	return s.items(call, "GetItem", byTable)
}

func (s *Service) transactWriteAccess(call *wire.Call, in *transactWriteInput) []wire.Access {
	byAction := map[string]map[string]keys{}
	for _, t := range in.TransactItems {
		action, table, item := t.touches()
		if byAction[action] == nil {
			byAction[action] = map[string]keys{}
		}
		byAction[action][table] = append(byAction[action][table], item)
	}
	var all []wire.Access
	for _, action := range slices.Sorted(maps.Keys(byAction)) {
		all = append(all, s.items(call, action, byAction[action])...)
	}
	return all
}

// find returns the table that a request names.
func (s *Service) find(call *wire.Call, name string) (t *table, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		t, err = lookup(tx, call, name)
		return err
	})
	return t, err
}
