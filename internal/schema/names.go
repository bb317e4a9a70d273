package schema

// The columns of the customers table, in file order (next_action, which came later, last).
const (
	CustomerID                    Name = "customer_id"
	Age                           Name = "age"
	Gender                        Name = "gender"
	Location                      Name = "location"
	AccountType                   Name = "account_type"
	AvgDailyLogins                Name = "avg_daily_logins"
	AvgSessionDurationMin         Name = "avg_session_duration_min"
	NumMessagesSentPerDay         Name = "num_messages_sent_per_day"
	NumEventsJoinedMonth          Name = "num_events_joined_month"
	NumNewConnectionsMonth        Name = "num_new_connections_month"
	InfluencerFollowScore         Name = "influencer_follow_score"
	DaysSinceLastLogin            Name = "days_since_last_login"
	ChurnRiskScore                Name = "churn_risk_score"
	AvgReactionsPerPost           Name = "avg_reactions_per_post"
	AvgCommentsPerPost            Name = "avg_comments_per_post"
	ContentPostsPerWeek           Name = "content_posts_per_week"
	AvgScrollDepthPct             Name = "avg_scroll_depth_pct"
	NotificationClickRate         Name = "notification_click_rate"
	DeviceType                    Name = "device_type"
	TimeOfDayActive               Name = "time_of_day_active"
	FriendGroupParticipationScore Name = "friend_group_participation_score"
	PremiumFeatureUsageRate       Name = "premium_feature_usage_rate"
	AvgAdsEngagementRate          Name = "avg_ads_engagement_rate"
	SocialInfluenceScore          Name = "social_influence_score"
	MatchSuccessRate              Name = "match_success_rate"
	ProfileViewsReceivedWeek      Name = "profile_views_received_week"
	GigApplicationsSentMonth      Name = "gig_applications_sent_month"
	GigListingsActive             Name = "gig_listings_active"
	TransactionRevenueMonth       Name = "transaction_revenue_month"
	ContentViralityScore          Name = "content_virality_score"
	SwipeLikeRatio                Name = "swipe_like_ratio"
	AvgJobCompletionRating        Name = "avg_job_completion_rating"
	TotalConnections              Name = "total_connections"
	EngagementScore               Name = "engagement_score"
	Churn30Day                    Name = "churn_30_day"
	LifetimeValueUSD              Name = "lifetime_value_usd"
	AvgSentimentScore             Name = "avg_sentiment_score"
	ContentCategoryPrimary        Name = "content_category_primary"
	NetworkCentrality             Name = "network_centrality"
	TimeSinceFirstTransactionDays Name = "time_since_first_transaction_days"
	ResponseTimeAvgHours          Name = "response_time_avg_hours"
	PeakActivityHour              Name = "peak_activity_hour"
	ContentDiversityScore         Name = "content_diversity_score"
	ReferralCount                 Name = "referral_count"
	SessionConsistencyScore       Name = "session_consistency_score"
	PremiumFeaturesUsedCount      Name = "premium_features_used_count"
	Last7DayEngagementTrend       Name = "last_7_day_engagement_trend"
	SocialInfluenceTier           Name = "social_influence_tier"
	TrustScore                    Name = "trust_score"
	NextAction                    Name = "next_action"
)

// The personal columns, kept in a table of their own.
const (
	FullName Name = "full_name"
	Email    Name = "email"
	Phone    Name = "phone"
)

// The two ends of an edge of the social graph; the first is the smaller id.
const (
	SourceCustomerID Name = "source_customer_id"
	TargetCustomerID Name = "target_customer_id"
)

// Values of the categorical columns, in the order that ordinal encodings use.
var (
	Genders        = []string{"F", "M", "Other"}
	AccountTypes   = []string{"free", "premium"}
	DeviceTypes    = []string{"mobile", "desktop", "tablet"}
	TimesOfDay     = []string{"morning", "afternoon", "evening", "night"}
	InfluenceTiers = []string{"micro", "mid", "macro", "mega"}
	Categories     = []string{"tech", "food", "travel", "fitness", "fashion", "gaming", "music", "art", "sports", "business", "education", "lifestyle"}
	NextActions    = []string{"post_content", "browse_feed", "send_message", "search_gig", "update_profile", "invite_friend"}
	States         = []string{
		"AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA",
		"HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME", "MD",
		"MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ",
		"NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC",
		"SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
	}
)
