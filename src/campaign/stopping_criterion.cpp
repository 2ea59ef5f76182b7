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
constexpr const char* event_names[] = {"inactive", "diverged", "risk_above", "missed"};

bool in_range(const StoppingCriterion& criterion) {
    const bool risk =
        criterion.event == Event::RiskAbove ? criterion.risk_above >= 0 && std::isfinite(criterion.risk_above) : criterion.risk_above == 0;
    if (criterion.is_shared())
        return criterion.pilot >= 1 && criterion.at_most > criterion.pilot && criterion.half_width == 0 && criterion.events == 0 && risk &&
               (criterion.event == Event::RiskAbove || criterion.event == Event::Missed);
    const bool until = criterion.until == Until::Events ? criterion.events >= 1 && criterion.half_width == 0
                                                        : criterion.half_width > 0 && criterion.half_width < 0.5 && criterion.events == 0;
    return criterion.at_most >= 1 && criterion.pilot == 0 && criterion.event != Event::Missed && risk && until;
}

StoppingCriterion read_criterion(const json& document) {
    StoppingCriterion criterion;
    criterion.at_most = document.at("at_most").get<std::int64_t>();
    if (document.contains("share")) {
        const json& share = document.at("share");
        criterion.until = Until::Shared;
        criterion.pilot = share.at("pilot").get<std::int64_t>();
        criterion.event = share.contains("risk_above") ? Event::RiskAbove : Event::Missed;
        if (share.contains("risk_above")) criterion.risk_above = share.at("risk_above").get<double>();
        return criterion;
    }
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
        case Event::Missed:
            break;
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
        case Event::Missed:
            return "trials that miss the optimum";
    }
    throw Defect("StoppingCriterion: an event that does not exist");
}

std::string StoppingCriterion::text() const {
    if (is_shared())
        return fmt::format("{} trials of each group of strata, shared out by the {} among the first {} of each stratum", at_most,
                           event_text(), pilot);
    const std::string end = until == Until::Events ? fmt::format("until there are {} {}", events, event_text())
                                                   : fmt::format("until the share of {} is known to ± {}", event_text(), half_width);
    return fmt::format("{}, at most {} trials", end, at_most);
}

std::string describe(const StoppingCriterion& criterion) {
    if (!in_range(criterion)) throw Defect("StoppingCriterion: numbers outside their ranges");
    json until = json::object();
    if (criterion.is_shared()) {
        json share{{"pilot", criterion.pilot}};
        if (criterion.event == Event::RiskAbove) share["risk_above"] = criterion.risk_above;
        return json{{"at_most", criterion.at_most}, {"confidence", stopping_confidence}, {"share", share}}.dump();
    }
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

std::string describe(const DecidedShare& share, const StoppingCriterion& rule) {
    return json{{"excluded", share.excluded},          {"pilot_reached", share.pilot_reached}, {"probability", share.probability},
                {"rule", json::parse(describe(rule))}, {"threshold", share.threshold},         {"trials", share.trials}}
        .dump();
}

std::optional<DecidedShare> share_from_description(std::string_view text, const StoppingCriterion& rule) {
    constexpr const char* foreign = "shares of trials: not one that this version writes: {}";
    DecidedShare share;
    StoppingCriterion by;
    try {
        const json document = json::parse(text);
        by = stopping_from_description(document.at("rule").dump());
        share = {document.at("trials").get<std::int64_t>(), document.at("probability").get<double>(),
                 document.at("threshold").get<double>(), document.at("pilot_reached").get<std::int64_t>(),
                 document.at("excluded").get<bool>()};
    } catch (const json::exception& failure) {
        throw StoreError(ExitCode::Data, fmt::format(foreign, failure.what()));
    }
    const bool fits = by.is_shared() && share.trials >= by.pilot && share.trials <= by.at_most && share.pilot_reached >= 0 &&
                      share.pilot_reached <= by.pilot && share.probability >= 0 && share.probability <= 1 && share.threshold >= 0;
    if (!fits || describe(share, by) != text) throw StoreError(ExitCode::Data, fmt::format(foreign, text));
    return by == rule ? std::optional(share) : std::nullopt;
}

std::string stopping_text(const std::optional<StoppingCriterion>& criterion, std::int64_t trials) {
    return criterion ? criterion->text() : fmt::format("all {} trials", trials);
}

}  // namespace limrisk
