package counterfactual

import "engage/internal/schema"

// Direction is the way in which a column may be changed. Categories are ordered
// as the schema lists them.
type Direction int

// The directions.
const (
	Up Direction = iota
	Down
	Either
)

// Action is a column that somebody can change, and how.
type Action struct {
	Column    schema.Name
	Direction Direction
	Lever     string // who does what
}

// Actions are the columns that the customer, with the platform's help, can change
// within weeks. What others decide (views, matches, reactions, ratings, revenue),
// what follows from the rest (influence, centrality, trust, trend, risk scores),
// what is past (first transaction) and what is habit or taste (hour, device,
// category, swipes) is not among them, nor is anything protected.
//
// A direction is the one that the platform would ask for, whatever the model
// says: nobody is asked to log in less.
var Actions = []Action{
	{schema.AccountType, Up, "offer a premium trial"},
	{schema.AvgDailyLogins, Up, "give reasons to come back during the day"},
	{schema.AvgSessionDurationMin, Up, "suggest more that is worth staying for"},
	{schema.NumMessagesSentPerDay, Up, "prompt to write to connections"},
	{schema.NumEventsJoinedMonth, Up, "invite to events nearby"},
	{schema.NumNewConnectionsMonth, Up, "suggest people to connect with"},
	{schema.DaysSinceLastLogin, Down, "win back with a message"},
	{schema.ContentPostsPerWeek, Up, "prompt to post"},
	{schema.AvgScrollDepthPct, Up, "rank the feed by what is read"},
	{schema.NotificationClickRate, Up, "send fewer and better notifications"},
	{schema.FriendGroupParticipationScore, Up, "suggest groups of friends"},
	{schema.PremiumFeatureUsageRate, Up, "show premium features where they help"},
	{schema.PremiumFeaturesUsedCount, Up, "introduce further premium features"},
	{schema.GigApplicationsSentMonth, Up, "suggest gigs to apply for"},
	{schema.GigListingsActive, Up, "help to list a gig"},
	{schema.ResponseTimeAvgHours, Down, "remind of messages to answer"},
	{schema.ContentDiversityScore, Up, "widen what the feed shows"},
	{schema.ReferralCount, Up, "reward invitations"},
	{schema.SessionConsistencyScore, Up, "make a daily habit worth it"},
}
