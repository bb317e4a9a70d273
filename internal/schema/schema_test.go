package schema_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"engage/internal/schema"
)

// required is section 3.1 of the requirements: 49 columns and their types, float read as double.
const required = `customer_id string
age int
gender string
location string
account_type string
avg_daily_logins double
avg_session_duration_min double
num_messages_sent_per_day double
num_events_joined_month int
num_new_connections_month int
influencer_follow_score double
days_since_last_login int
churn_risk_score double
avg_reactions_per_post double
avg_comments_per_post double
content_posts_per_week int
avg_scroll_depth_pct double
notification_click_rate double
device_type string
time_of_day_active string
friend_group_participation_score double
premium_feature_usage_rate double
avg_ads_engagement_rate double
social_influence_score double
match_success_rate double
profile_views_received_week int
gig_applications_sent_month int
gig_listings_active int
transaction_revenue_month double
content_virality_score double
swipe_like_ratio double
avg_job_completion_rating double
total_connections int
engagement_score double
churn_30_day boolean
lifetime_value_usd double
avg_sentiment_score double
content_category_primary string
network_centrality double
time_since_first_transaction_days int
response_time_avg_hours double
peak_activity_hour int
content_diversity_score double
referral_count int
session_consistency_score double
premium_features_used_count int
last_7_day_engagement_trend double
social_influence_tier string
trust_score double`

func TestCustomersHasTheRequiredColumns(t *testing.T) {
	want := strings.Split(required, "\n")
	if len(want) != 49 {
		t.Fatalf("the list has %d columns, want 49", len(want))
	}
	want = append(want, "next_action string") // section 3.3
	var got []string
	for _, c := range schema.Customers.Columns {
		got = append(got, fmt.Sprint(c.Name, " ", c.Type))
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRoles fixes what may become a model input and what may not.
func TestRoles(t *testing.T) {
	for role, want := range map[schema.Role][]schema.Name{
		schema.ID:        {schema.CustomerID},
		schema.Protected: {schema.Age, schema.Gender, schema.Location},
		schema.Target:    {schema.EngagementScore, schema.Churn30Day, schema.LifetimeValueUSD, schema.NextAction},
		schema.Personal:  nil,
	} {
		if got := schema.Customers.WithRole(role); !slices.Equal(got, want) {
			t.Errorf("%s columns are %v, want %v", role, got, want)
		}
	}
	want := []schema.Name{schema.FullName, schema.Email, schema.Phone}
	if got := schema.Persons.WithRole(schema.Personal); !slices.Equal(got, want) {
		t.Errorf("personal columns are %v, want %v", got, want)
	}
}

func TestCategories(t *testing.T) {
	for name, n := range map[schema.Name]int{schema.ContentCategoryPrimary: 12, schema.NextAction: 6, schema.Location: 50} {
		if c, ok := schema.Customers.Column(name); !ok || len(c.Enum) != n {
			t.Errorf("%s has %d values, want %d", name, len(c.Enum), n)
		}
	}
}

func TestLookup(t *testing.T) {
	table := &schema.Customers
	if i := table.Index("no_such_column"); i != -1 {
		t.Errorf("Index of an unknown column is %d, want -1", i)
	}
	if _, ok := table.Column("no_such_column"); ok {
		t.Error("an unknown column was found")
	}
	if i := table.MustIndex(schema.CustomerID); i != 0 {
		t.Errorf("customer_id is column %d, want 0", i)
	}
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "no_such_column") {
			t.Errorf("MustIndex panicked with %q, want the name", r)
		}
	}()
	table.MustIndex("no_such_column")
}

func TestEnumText(t *testing.T) {
	type all struct {
		Type           schema.Type
		Role           schema.Role
		Classification schema.Classification
	}
	want := all{schema.Timestamp, schema.Derived, schema.Restricted}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if s := `{"Type":"timestamp","Role":"derived","Classification":"restricted"}`; string(text) != s {
		t.Errorf("got %s, want %s", text, s)
	}
	var got all
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("read back %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{`{"Type":"text"}`, `{"Role":"boss"}`, `{"Classification":"secret"}`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil || !strings.Contains(err.Error(), "use one of") {
			t.Errorf("%s: error is %v, want one that lists the names", bad, err)
		}
	}
	if got != want {
		t.Errorf("a bad name changed the value to %v", got)
	}
	for _, v := range []any{schema.Type(-1), schema.Role(6), schema.Classification(4)} {
		if _, err := json.Marshal(v); err == nil {
			t.Errorf("%v was marshalled", v)
		}
	}
	if s := schema.Role(6).String(); s != "Role(6)" {
		t.Errorf("an undeclared role prints as %q", s)
	}
}
