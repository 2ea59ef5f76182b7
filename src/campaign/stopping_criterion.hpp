// When a cell has enough trials: what is counted in its trials, and until when. Judged on prefixes of the trials in their order.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "limrisk/trial_record.hpp"

namespace limrisk {

/// `trials = { at_most = ..., until = { ... } }` of a campaign.
struct StoppingCriterion {
    enum class Until {
        IntervalHalfWidth,  ///< the interval of the share of events reaches at most `half_width` to either side of its middle
        Events,             ///< there are `events` events
    } until = Until::Events;
    enum class Event {
        Inactive,   ///< at least one neuron inactive on the whole box at initialization
        Diverged,   ///< verdict diverged
        RiskAbove,  ///< limiting risk greater than `risk_above`
    } event = Event::Inactive;
    std::int64_t at_most = 0;  ///< trials, in any case; at least 1
    double half_width = 0;     ///< IntervalHalfWidth: in (0, 1/2), else 0
    std::int64_t events = 0;   ///< Events: at least 1, else 0
    double risk_above = 0;     ///< RiskAbove: at least 0 and finite, else 0

    bool operator==(const StoppingCriterion&) const = default;

    /// 1 if the event happened in the trial, else 0.
    std::uint8_t outcome(const TrialRecord& record) const;
    /// What is counted: "trials with inactive neurons at initialization", "diverged trials", "trials with a limiting risk above 0.1".
    std::string event_text() const;
    /// "until there are 1000 diverged trials, at most 1000000 trials".
    std::string text() const;
};

/// Of the intervals by which cells are judged.
inline constexpr double stopping_confidence = 0.95;

/// Canonical JSON, named as in a campaign file.
std::string describe(const StoppingCriterion& criterion);

/// The inverse. Throws StoreError(Data) for a text that `describe` does not write.
StoppingCriterion stopping_from_description(std::string_view text);

/// In words, also where there is none: "all 4096 trials".
std::string stopping_text(const std::optional<StoppingCriterion>& criterion, std::int64_t trials);

}  // namespace limrisk
