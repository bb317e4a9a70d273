// Package feature says which columns each model may read and how they are
// encoded. A Set can only be made by NewSet, which refuses every column that a
// model must not see, so code that takes a Set need not check again. The sets
// of the models are built when the program starts: a bad one stops it there.
//
// # What a model may read
//
// Only columns of role feature of the customers table. Ids, targets, derived
// and personal columns never; nor a column of any role that is classified as
// restricted.
//
// Age, gender and location are protected, although a law may allow their use on
// the condition of a legal review. There is no such review, so the answer is no. Nothing is lost that
// matters: what the three tell about engagement reaches a model through
// behaviour, while a model that does read them treats two customers who behave
// alike in different ways, which is the disparate treatment that the review
// would be about. They stay in the customers table because the audits need
// them: demographic parity, equalized odds and proxy detection are computed
// over these groups, outside the model. To leave them out is not enough for
// fairness, because behaviour can stand for them; finding that is the audits'
// task.
//
// # Which columns each model reads
//
// All of them read every feature column. There are shorter lists by custom
// for churn (trend, recency, sentiment, response time) and lifetime value
// (transactions, premium, centrality, referrals); those are subsets of what is
// here. Boosted trees choose their splits, and a short list would only forbid
// them what helps. The next action reads them too.
//
// # How they are encoded
//
// Numbers as they are, categories as native category codes: the models are
// trees, which need no scaling and split categories without one-hot columns.
// peak_activity_hour is cyclic (sine and cosine over 24 h) instead of numeric,
// so that 23 and 0 are neighbours; both forms at once would share one column's
// importance out over three features. Missing values stay missing, since trees
// learn a direction for them; Missing is there for models that cannot. The two
// interactions are declared on columns that pass the same
// check.
package feature
