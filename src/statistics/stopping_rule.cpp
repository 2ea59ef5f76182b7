// Outcomes one by one; half-widths are judged at multiples of look_every only.
#include "statistics/stopping_rule.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <numeric>

#include "limrisk/error.hpp"
#include "statistics/confidence_sequence.hpp"

namespace limrisk {

Interval inverse_sampling_interval(std::int64_t events, std::int64_t trials, double confidence) {
    if (events < 1 || events > trials || !(confidence > 0 && confidence < 1))
        throw Defect("inverse_sampling_interval: needs 1 <= events <= trials and a confidence between 0 and 1");
    const auto hits = static_cast<double>(events), misses = static_cast<double>(trials - events);
    const double tail = (1 - confidence) / 2;
    // P(the events-th event comes by now) = P(Bin(trials, p) >= events);  P(not before) = P(Bin(trials - 1, p) <= events - 1)
    Interval interval{boost::math::ibeta_inv(hits, misses + 1, tail), 1};
    if (misses > 0) interval.high = boost::math::ibetac_inv(hits, misses, tail);
    return interval;
}

SequentialCount::SequentialCount(const StoppingRule& rule) : rule_(rule) {
    using enum StoppingRule::Kind;
    const bool half_width = rule.kind != IntervalHalfWidth || (rule.half_width > 0 && rule.half_width < 0.5 && rule.look_every >= 1);
    if (rule.at_most < 1 || !half_width || (rule.of_sums && rule.look_every < 1) || (rule.kind == Events && rule.events < 1) ||
        !(rule.confidence > 0 && rule.confidence < 1))
        throw Defect("SequentialCount: a stopping rule outside its ranges");
}

void SequentialCount::add(std::span<const std::uint8_t> outcomes) {
    while (!finished_ && !outcomes.empty()) {
        // Up to the next place where the rule may end it.
        std::int64_t room = rule_.at_most - trials_;
        if (rule_.kind == StoppingRule::Kind::IntervalHalfWidth) room = std::min(room, rule_.look_every - trials_ % rule_.look_every);
        const auto part = outcomes.first(std::min(outcomes.size(), static_cast<std::size_t>(room)));
        if (rule_.kind == StoppingRule::Kind::Events) {
            for (const std::uint8_t outcome : part) {
                ++trials_;
                events_ += outcome;
                if (events_ == rule_.events) {
                    finished_ = true;
                    return;
                }
            }
        } else {
            trials_ += static_cast<std::int64_t>(part.size());
            events_ = std::accumulate(part.begin(), part.end(), events_);
        }
        outcomes = outcomes.subspan(part.size());
        finished_ = trials_ == rule_.at_most;
        if (rule_.kind == StoppingRule::Kind::IntervalHalfWidth && trials_ % rule_.look_every == 0) finished_ = finished_ || fulfilled();
    }
}

void SequentialCount::add_sum(std::int64_t trials, std::int64_t events) {
    if (!rule_.of_sums || trials < 0 || events < 0 || events > trials) throw Defect("SequentialCount: no sum that it takes");
    if (finished_) return;
    trials_ += trials;
    events_ += events;
    finished_ = trials_ >= rule_.at_most || (trials_ > 0 && trials_ % rule_.look_every == 0 && fulfilled());
}

bool SequentialCount::fulfilled() const {
    switch (rule_.kind) {
        case StoppingRule::Kind::AtMost:
            return false;
        case StoppingRule::Kind::Events:
            return events_ >= rule_.events;
        case StoppingRule::Kind::IntervalHalfWidth:
            break;
    }
    const Interval now = confidence_sequence(events_, trials_, rule_.confidence);
    return now.high - now.low <= 2 * rule_.half_width;
}

Interval SequentialCount::interval() const {
    if (rule_.of_sums) return confidence_sequence(events_, trials_, rule_.confidence);
    switch (rule_.kind) {
        case StoppingRule::Kind::AtMost:
            break;
        case StoppingRule::Kind::IntervalHalfWidth:
            return confidence_sequence(events_, trials_, rule_.confidence);
        case StoppingRule::Kind::Events:
            if (events_ == rule_.events) return inverse_sampling_interval(events_, trials_, rule_.confidence);
            break;
    }
    return clopper_pearson(events_, trials_, rule_.confidence);
}

}  // namespace limrisk
