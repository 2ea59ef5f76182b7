// When a cell has enough trials: what is counted in its trials, and until when, judged on prefixes of the trials in their order; or how the
// trials of a group are shared out over its strata.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "limrisk/trial_record.hpp"

namespace limrisk {

/// `trials = { at_most = ..., until = { ... } }` of a campaign, or `trials = { at_most = ..., share = { ... } }`.
struct StoppingCriterion {
    enum class Until {
        IntervalHalfWidth,  ///< the interval of the share of events reaches at most `half_width` to either side of its middle
        Events,             ///< there are `events` events
        Shared,             ///< no end: at_most trials of all strata of a group, shared out by the outcomes of the first `pilot` of each
    } until = Until::Events;
    enum class Event {
        Inactive,   ///< at least one neuron inactive on the whole box at initialization
        Diverged,   ///< verdict diverged
        RiskAbove,  ///< limiting risk greater than `risk_above`
        Missed,     ///< Shared: limiting risk above the threshold of the optimum that the store knows, which no record tells
    } event = Event::Inactive;
    std::int64_t at_most = 0;  ///< trials, in any case; at least 1
    double half_width = 0;     ///< IntervalHalfWidth: in (0, 1/2), else 0
    std::int64_t events = 0;   ///< Events: at least 1, else 0
    double risk_above = 0;     ///< RiskAbove: at least 0 and finite, else 0
    std::int64_t pilot = 0;    ///< Shared: trials of each stratum, at least 1, else 0

    bool operator==(const StoppingCriterion&) const = default;
    bool is_shared() const { return until == Until::Shared; }

    /// 1 if the event happened in the trial, else 0. Throws Defect for Missed.
    std::uint8_t outcome(const TrialRecord& record) const;
    /// What is counted: "trials with inactive neurons at initialization", "diverged trials", "trials with a limiting risk above 0.1".
    std::string event_text() const;
    /// "until there are 1000 diverged trials, at most 1000000 trials"; "1000000 trials of each group of strata, shared out after 1024 of
    /// each".
    std::string text() const;
};

/// Of the intervals by which cells are judged.
inline constexpr double stopping_confidence = 0.95;

/// Canonical JSON, named as in a campaign file.
std::string describe(const StoppingCriterion& criterion);

/// The inverse. Throws StoreError(Data) for a text that `describe` does not write.
StoppingCriterion stopping_from_description(std::string_view text);

/// What a rule that shares trials gave one stratum, and by what. It is decided once and stays in the store.
struct DecidedShare {
    std::int64_t trials = 0;         ///< of the stratum, its pilot included
    double probability = 0;          ///< P(J)
    double threshold = 0;            ///< of the limiting risk: a trial that is not above it reaches
    std::int64_t pilot_reached = 0;  ///< of the pilot
    bool excluded = false;           ///< it is proved that no trial of the stratum reaches: it has its pilot only

    bool operator==(const DecidedShare&) const = default;
};

/// Canonical JSON of a share that `rule` gave.
std::string describe(const DecidedShare& share, const StoppingCriterion& rule);

/// The inverse: nullopt where another rule gave it. Throws StoreError(Data) for a text that `describe` does not write.
std::optional<DecidedShare> share_from_description(std::string_view text, const StoppingCriterion& rule);

/// In words, also where there is none: "all 4096 trials".
std::string stopping_text(const std::optional<StoppingCriterion>& criterion, std::int64_t trials);

}  // namespace limrisk
