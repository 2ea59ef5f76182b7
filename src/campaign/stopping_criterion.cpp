// Outcomes of trials; the criterion in words, as JSON and back.
#include "campaign/stopping_criterion.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using nlohmann::json;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

/// In the order of Event.
constexpr const char* event_names[] = {"inactive", "diverged", "risk_above"};

bool in_range(const StoppingCriterion& criterion) {
    const bool risk =
        criterion.event == Event::RiskAbove ? criterion.risk_above >= 0 && std::isfinite(criterion.risk_above) : criterion.risk_above == 0;
    const bool until = criterion.until == Until::Events ? criterion.events >= 1 && criterion.half_width == 0
                                                        : criterion.half_width > 0 && criterion.half_width < 0.5 && criterion.events == 0;
    return criterion.at_most >= 1 && risk && until;
}

StoppingCriterion read_criterion(const json& document) {
    StoppingCriterion criterion;
    criterion.at_most = document.at("at_most").get<std::int64_t>();
    const json& until = document.at("until");
    if (until.contains("interval_half_width")) {
        criterion.until = Until::IntervalHalfWidth;
        criterion.half_width = until.at("interval_half_width").get<double>();
    } else {
        criterion.events = until.at("events").get<std::int64_t>();
    }
    if (until.contains("risk_above")) {
        criterion.event = Event::RiskAbove;
        criterion.risk_above = until.at("risk_above").get<double>();
    } else if (until.at("event") == event_names[static_cast<int>(Event::Diverged)]) {
        criterion.event = Event::Diverged;
    }
    return criterion;
}

}  // namespace

std::uint8_t StoppingCriterion::outcome(const TrialRecord& record) const {
    switch (event) {
        case Event::Inactive:
            return record.inactive_initial > 0 ? 1 : 0;
        case Event::Diverged:
            return record.verdict == Verdict::Diverged ? 1 : 0;
        case Event::RiskAbove:
            return limiting_risk(record) > risk_above ? 1 : 0;
    }
    throw Defect("StoppingCriterion: an event that does not exist");
}

std::string StoppingCriterion::event_text() const {
    switch (event) {
        case Event::Inactive:
            return "trials with inactive neurons at initialization";
        case Event::Diverged:
            return "diverged trials";
        case Event::RiskAbove:
            return fmt::format("trials with a limiting risk above {}", risk_above);
    }
    throw Defect("StoppingCriterion: an event that does not exist");
}

std::string StoppingCriterion::text() const {
    const std::string end = until == Until::Events ? fmt::format("until there are {} {}", events, event_text())
                                                   : fmt::format("until the share of {} is known to ± {}", event_text(), half_width);
    return fmt::format("{}, at most {} trials", end, at_most);
}

std::string describe(const StoppingCriterion& criterion) {
    if (!in_range(criterion)) throw Defect("StoppingCriterion: numbers outside their ranges");
    json until = json::object();
    if (criterion.until == Until::Events)
        until["events"] = criterion.events;
    else
        until["interval_half_width"] = criterion.half_width;
    if (criterion.event == Event::RiskAbove)
        until["risk_above"] = criterion.risk_above;
    else
        until["event"] = event_names[static_cast<int>(criterion.event)];
    return json{{"at_most", criterion.at_most}, {"confidence", stopping_confidence}, {"until", until}}.dump();
}

StoppingCriterion stopping_from_description(std::string_view text) {
    constexpr const char* foreign = "stopping rule: not one that this version writes: {}";
    StoppingCriterion criterion;
    try {
        criterion = read_criterion(json::parse(text));
    } catch (const json::exception& failure) {
        throw StoreError(ExitCode::Data, fmt::format(foreign, failure.what()));
    }
    if (!in_range(criterion) || describe(criterion) != text) throw StoreError(ExitCode::Data, fmt::format(foreign, text));
    return criterion;
}

std::string stopping_text(const std::optional<StoppingCriterion>& criterion, std::int64_t trials) {
    return criterion ? criterion->text() : fmt::format("all {} trials", trials);
}

}  // namespace limrisk
