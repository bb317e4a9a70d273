package datagen

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// behaviour numbers the pieces of behaviour that the traits drive.
type behaviour int

const (
	plan behaviour = iota // free or premium
	age
	gender
	device
	dating // uses dating at all
	match
	likes
	logins
	sessions
	messages
	events
	newTies
	influencers
	recency
	reactions
	comments
	posts
	scroll
	clicks
	groups
	premiumUse
	ads
	influence
	views
	earner // ever had a gig transaction
	applications
	listings
	earning // had one this month
	revenue
	virality
	rating
	mood
	firstDeal
	response
	chronotype
	referrals
	consistency
	premiumCount
	drift
	trust
	risk
	behaviourCount
)

// link is how a piece of behaviour depends on the traits, on the premium plan
// and on success in dating. Its score is the weighted sum of these plus noise
// that brings the variance to 1. The traits are shared causes; the plan and the
// match score are causes in their own right.
type link struct {
	on      traits
	premium float64 // weight of the plan: 1 premium, 0 free
	match   float64 // weight of the match score of those who date
	noise   float64 // standard deviation of what is the behaviour's own; set by calibrate
	mean    float64 // mean of the weighted sum, taken off; set by calibrate
}

// Shares of the population.
const (
	premiumShare = 0.30
	datingShare  = 0.85
	earnerShare  = 0.45
	earningShare = 0.70 // of those who ever earned
	quietShare   = 0.03 // send no messages
)

var links = calibrate([behaviourCount]link{
	plan:         {on: traits{activity: 0.25, affluence: 0.50, commerce: 0.15}},
	age:          {on: traits{affluence: 0.35, activity: -0.20, creation: -0.15}},
	gender:       {on: traits{creation: 0.15, commerce: -0.15}},
	device:       {on: traits{affluence: 0.30}},
	dating:       {on: traits{romance: 0.60}},
	match:        {on: traits{romance: 0.45, popularity: 0.35}, premium: 0.35},
	likes:        {on: traits{romance: 0.30, popularity: -0.25}},
	logins:       {on: traits{activity: 0.60, sociability: 0.15}, premium: 0.30, match: 0.25},
	sessions:     {on: traits{activity: 0.40, creation: 0.20}, premium: 0.15},
	messages:     {on: traits{sociability: 0.50, romance: 0.25, activity: 0.30}},
	events:       {on: traits{sociability: 0.50, activity: 0.15}},
	newTies:      {on: traits{sociability: 0.40, popularity: 0.40, activity: 0.20}},
	influencers:  {on: traits{creation: 0.20, activity: 0.15}},
	recency:      {on: traits{activity: -0.60, sociability: -0.10}},
	reactions:    {on: traits{creation: 0.40, popularity: 0.45}},
	comments:     {on: traits{creation: 0.35, sociability: 0.20, popularity: 0.30}},
	posts:        {on: traits{creation: 0.60, activity: 0.20}},
	scroll:       {on: traits{activity: 0.30, creation: -0.10}},
	clicks:       {on: traits{activity: 0.35}},
	groups:       {on: traits{sociability: 0.60, activity: 0.15}},
	premiumUse:   {on: traits{activity: 0.45, creation: 0.20}},
	ads:          {on: traits{activity: 0.15, affluence: -0.15}, premium: -0.60},
	influence:    {on: traits{creation: 0.50}},
	views:        {on: traits{popularity: 0.50, romance: 0.25}, premium: 0.30},
	earner:       {on: traits{commerce: 0.70}},
	applications: {on: traits{commerce: 0.55, affluence: -0.15}},
	listings:     {on: traits{commerce: 0.60}},
	earning:      {on: traits{commerce: 0.40, activity: 0.20}},
	revenue:      {on: traits{commerce: 0.45, popularity: 0.15}, premium: 0.20},
	virality:     {on: traits{creation: 0.40, popularity: 0.25}},
	rating:       {on: traits{commerce: 0.25}},
	mood:         {on: traits{activity: 0.15, sociability: 0.20, romance: 0.10}},
	firstDeal:    {on: traits{commerce: 0.30, affluence: 0.20}},
	response:     {on: traits{sociability: -0.30, activity: -0.25}},
	chronotype:   {on: traits{romance: 0.20, commerce: -0.20}},
	referrals:    {on: traits{sociability: 0.35, popularity: 0.30}},
	consistency:  {on: traits{activity: 0.50}},
	premiumCount: {on: traits{activity: 0.40, affluence: 0.15}},
	drift:        {on: traits{activity: 0.20}, premium: 0.10, match: 0.10},
	trust:        {on: traits{commerce: 0.20, sociability: 0.15}},
	risk:         {},
})

// calibrate sets mean and noise so that every score has mean 0 and variance 1.
// The plan is 1{z > c} for a score z, so that Cov(trait, plan) is the trait's
// weight in z times the density at c; dating likewise. It panics if the weights
// leave no room for noise.
func calibrate(all [behaviourCount]link) [behaviourCount]link {
	planDensity := distuv.UnitNormal.Prob(score(1 - premiumShare))
	datingDensity := distuv.UnitNormal.Prob(score(1 - datingShare))
	overlap := dot(all[match].on, all[dating].on)
	for b := range all {
		l := &all[b]
		withPlan := dot(l.on, all[plan].on) * planDensity
		withMatch := datingShare * dot(l.on, all[match].on)
		planAndMatch := datingShare * (dot(all[plan].on, all[match].on)*planDensity +
			all[match].premium*premiumShare*(1-premiumShare))
		variance := dot(l.on, l.on) +
			l.premium*l.premium*premiumShare*(1-premiumShare) + l.match*l.match*datingShare +
			2*l.premium*withPlan + 2*l.match*withMatch + 2*l.premium*l.match*planAndMatch
		if variance >= 1 {
			panic(fmt.Sprintf("datagen: behaviour %d has variance %.2f without noise, want below 1", b, variance))
		}
		l.noise = math.Sqrt(1 - variance)
		l.mean = l.premium*premiumShare + l.match*overlap*datingDensity
	}
	return all
}

// score returns the normal score of a behaviour. premium is 1 or 0; matching is
// the match score of a customer who dates and 0 of one who does not; own is
// N(0, 1).
func (b behaviour) score(t *traits, premium, matching, own float64) float64 {
	l := &links[b]
	return dot(l.on, *t) + l.premium*premium + l.match*matching - l.mean + l.noise*own
}

// The shapes of what customers do.
var shapes = struct {
	age                                                            continuous
	match, likes, influencers, scroll, clicks, groups, premiumUse  continuous
	ads, virality, rating, mood, consistency, trust                continuous
	logins, sessions, messages, reactions, comments, revenue       logNormal
	response, firstDeal                                            logNormal
	events, newTies, recency, posts, views, applications, listings counts
	referrals, premiumCount                                        counts
	gender, device                                                 choice
}{
	age:          truncatedNormal(28.9, 11.5, 18, 66), // mean 32 after truncation; completed years
	match:        beta(2, 5),
	likes:        beta(3, 4),
	influencers:  beta(2, 3),
	scroll:       beta(4, 3),
	clicks:       beta(1.5, 6),
	groups:       beta(2.5, 3),
	premiumUse:   beta(3, 3),
	ads:          beta(1.2, 15),
	virality:     beta(1.2, 9),
	rating:       beta(8, 2),
	mood:         beta(5, 3.6),
	consistency:  beta(3, 2.5),
	trust:        beta(6, 2),
	logins:       logNormal{3.5, 0.65},
	sessions:     logNormal{14, 0.60},
	messages:     logNormal{8, 0.95},
	reactions:    logNormal{12, 1.1},
	comments:     logNormal{3, 1.0},
	revenue:      logNormal{120, 1.3},
	response:     logNormal{3.5, 1.0},
	firstDeal:    logNormal{280, 0.9},
	events:       negativeBinomial(2, 1.2, 0),
	newTies:      negativeBinomial(5, 1.0, 0),
	recency:      negativeBinomial(6, 0.45, 0),
	posts:        negativeBinomial(4, 1.0, 0),
	views:        negativeBinomial(40, 0.8, 0),
	applications: negativeBinomial(3, 0.8, 0.5),
	listings:     negativeBinomial(2, 0.8, 0.6),
	referrals:    negativeBinomial(1.2, 0.5, 0),
	premiumCount: negativeBinomial(5, 4, 0),
	gender:       shares(0.49, 0.48, 0.03), // in the order of schema.Genders
	device:       shares(0.70, 0.20, 0.10), // in the order of schema.DeviceTypes
}
