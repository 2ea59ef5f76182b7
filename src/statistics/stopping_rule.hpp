// Enough trials, and no more: rules that end a cell early, and the interval that is valid when they do.
#pragma once
#include <cstdint>
#include <span>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// Exact interval when trials were drawn until the `events`-th event, which was trial number `trials` (inverse binomial sampling; the
/// Clopper-Pearson construction for the negative binomial law: Casella and Berger, "Statistical Inference", 2nd ed., section 9.2).
/// Throws Defect unless 1 <= events <= trials and 0 < confidence < 1.
Interval inverse_sampling_interval(std::int64_t events, std::int64_t trials, double confidence = 0.95);

struct StoppingRule {
    enum class Kind {
        AtMost,             ///< all `at_most` trials
        IntervalHalfWidth,  ///< until the interval of the share is at most `half_width` to either side of its middle
        Events,             ///< until the `events`-th event
    } kind = Kind::AtMost;
    std::int64_t at_most = 0;     ///< trials, in any case
    double half_width = 0;        ///< IntervalHalfWidth: in (0, 1/2)
    std::int64_t events = 0;      ///< Events: at least 1
    std::int64_t look_every = 1;  ///< IntervalHalfWidth: trials between two looks, the block size of the cell
    double confidence = 0.95;
    /// Outcomes come as sums over many trials (add_sum): every rule is judged at the multiples of look_every, and the interval is a
    /// confidence sequence, which holds wherever one looks.
    bool of_sums = false;
};

/// Counts events over the trials of a cell in their fixed order, and stops where the rule says. The answer is a function of the outcomes
/// and of the rule: not of how they are cut into calls of add, hence not of machines, shards or interruptions.
class SequentialCount {
public:
    /// Throws Defect for numbers outside the ranges above.
    explicit SequentialCount(const StoppingRule& rule);

    /// The outcomes of the next trials, 1 for an event, else 0. Those behind the end are ignored.
    void add(std::span<const std::uint8_t> outcomes);

    /// Of a rule of_sums: so many of the next `trials` are events. It is judged behind them, if look_every divides the number of all
    /// trials so far or it is at_most; not among them.
    void add_sum(std::int64_t trials, std::int64_t events);

    /// The rule is fulfilled, or at_most is reached.
    bool finished() const { return finished_; }
    /// What the rule waits for is there, by the trials so far: the events, or the short interval. at_most alone is no fulfilment.
    bool fulfilled() const;
    /// Of the trials up to the end, or so far.
    std::int64_t trials() const { return trials_; }
    std::int64_t events() const { return events_; }

    /// Covers the true probability with at least the rule's confidence, when finished:
    /// AtMost: clopper_pearson. IntervalHalfWidth: confidence_sequence. Events: inverse_sampling_interval, or, if at_most came first,
    /// clopper_pearson (both by inverting the same ordering of outcomes). Before the end only IntervalHalfWidth has a guarantee. Of sums:
    /// confidence_sequence, always with its guarantee.
    Interval interval() const;

private:
    StoppingRule rule_;
    std::int64_t trials_ = 0, events_ = 0;
    bool finished_ = false;
};

}  // namespace limrisk
