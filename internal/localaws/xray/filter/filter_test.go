package filter_test

import (
	"errors"
	"fmt"
	"testing"

	"engage/internal/localaws/xray/filter"
)

func example() *filter.Trace {
	return &filter.Trace{
		Fault: true, ResponseTime: 5, Duration: 7.5, Status: 502, URL: "http://shop/pay", Method: "POST", Users: []string{"ann", "bob"},
		Services:    []filter.Service{{Name: "shop", Type: "AWS::Lambda", Account: "1"}, {Name: "orders", Type: "AWS::DynamoDB::Table"}},
		Annotations: map[string][]any{"age": {41.0}, "plan": {"gold"}, "Trial": {true}},
	}
}

func TestExpressions(t *testing.T) {
	for expression, want := range map[string]bool{
		"":                           true,
		`service("shop")`:            true,
		`service("nobody")`:          false,
		`fault`:                      true,
		`error`:                      false,
		`!error`:                     true,
		`fault = false`:              false,
		`fault != false`:             true,
		`ok = false`:                 true,
		`responsetime > 5`:           false,
		`responsetime >= 5`:          true,
		`duration <= 7.5`:            true,
		`http.status != 200`:         true,
		`http.url CONTAINS "p"`:      true,
		`http.url beginswith "shop"`: false,
		`http.method ENDSWITH 'ST'`:  true,
		`user = "bob"`:               true,
		`annotation.age > 40`:        true,
		`annotation[plan] = "gold" AND annotation.age < 41`:   false,
		`annotation.Trial = true`:                             true,
		`annotation.Trial != true`:                            false,
		`annotation.other`:                                    false,
		`annotation.plan`:                                     true,
		`annotation.age = "41"`:                               false,
		`error OR fault AND responsetime > 100`:               false,
		`(error OR fault) AND NOT responsetime > 100`:         true,
		`NOT error AND error`:                                 false,
		`service(id(name: "shop", type: "AWS::Lambda"))`:      true,
		`service(id(name: "shop", type: "AWS::SQS::Queue"))`:  false,
		`service(id(type: "AWS::Lambda", account.id: "2"))`:   false,
		`service("shop") && service("orders") || service("")`: true,
	} {
		e, err := filter.Parse(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
		} else if got := e(example()); got != want {
			t.Errorf("%s: %t, want %t", expression, got, want)
		}
	}
}

func TestRefusedExpressions(t *testing.T) {
	for expression, unsupported := range map[string]bool{
		`edge("a", "b")`:          true,
		`service("a") { fault }`:  true,
		`group.name = "a"`:        true,
		`responsetime`:            false,
		`responsetime > "a"`:      false,
		`responsetime > 1e`:       false,
		`service(shop)`:           false,
		`service("shop"`:          false,
		`service("shop`:           false,
		`fault fault`:             false,
		`fault AND`:               false,
		`(fault`:                  false,
		`fault)`:                  false,
		`fault = maybe`:           false,
		`user > "a"`:              false,
		`user = 1`:                false,
		`annotation[] = 1`:        false,
		`annotation.a = `:         false,
		`$`:                       false,
		`= 1`:                     false,
		`service(id(name "a"))`:   false,
		`service(id(colour:"a"))`: false,
	} {
		_, err := filter.Parse(expression)
		var no *filter.UnsupportedError
		var bad *filter.SyntaxError
		if !errors.As(err, &no) && !errors.As(err, &bad) || errors.As(err, &no) != unsupported {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func ExampleParse() {
	e, err := filter.Parse(`service("shop") AND responsetime > 3`)
	fmt.Println(err, e(&filter.Trace{ResponseTime: 4, Services: []filter.Service{{Name: "shop"}}}))
	// Output: <nil> true
}

// Every text is an expression that can be asked, or is refused.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`service("a") AND !(fault)`, `annotation["k"] CONTAINS "v"`, `responsetime >= .5`, `service(id(name:"a"))`, "((((", `"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		e, err := filter.Parse(expression)
		if err == nil {
			e(&filter.Trace{})
			e(example())
		}
	})
}
