// Two small tables, read with the same words as all other keys.
#include "campaign/trials_key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "campaign/alternative.hpp"
#include "campaign/parameter.hpp"

namespace limrisk {
namespace {

const Parameter at_most{"at_most", ParameterType::Integer, "maximal number of trials per cell", {1, 1e9}, nullptr, true};
const Parameter pilot{
    "pilot", ParameterType::Integer, "first trials of each stratum, by which the others are shared out", {1, 1e9}, nullptr, true};
const Parameter half_width{"interval_half_width",
                           ParameterType::Real,
                           "until the half-width of the 95 % interval of the share of events is at most this",
                           {0, 0.5, true, true}};
const Parameter events{"events", ParameterType::Integer, "until this number of events", {1, 1e9}};
const Parameter event{"event", ParameterType::Choice, "the event that is counted", {}, "\"inactive\"", false, {"inactive", "diverged"}};
const Parameter risk_above{"risk_above", ParameterType::Real, "counts trials whose limiting risk is greater; instead of event", {0}};

constexpr const char* example = "trials = { at_most = 1000000, until = { events = 1000 } }";
constexpr const char* shared_example = "trials = { at_most = 65536, share = { pilot = 1024 } }";

/// Refuses members that are not `known`. True if there was none.
bool refuse_unknown(const Node& table, const std::string& key, const std::vector<std::string>& known, Problems& problems) {
    bool right = true;
    for (const auto& [name, member] : table.members) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        problems.add(member.place, key + "." + abbreviated(name),
                     fmt::format("unknown; the keys of {} are {}{}", key, fmt::join(known, ", "), suggestion(name, known)));
        right = false;
    }
    return right;
}

std::optional<ParameterValue> read_member(const Parameter& parameter, const Node& table, const std::string& key, Problems& problems) {
    const Node* node = table.find(parameter.name);
    return node == nullptr ? std::nullopt : read_value(parameter, *node, key + "." + parameter.name, problems);
}

void read_share(const Node& node, StoppingCriterion& criterion, Problems& problems) {
    const std::string key = "trials.share";
    criterion.until = StoppingCriterion::Until::Shared;
    criterion.event = StoppingCriterion::Event::Missed;
    if (node.kind != Node::Kind::Table) {
        problems.add(node.place, key, fmt::format("{}; allowed is a table with pilot: {}", node.shown(), shared_example));
        return;
    }
    const bool known = refuse_unknown(node, key, {pilot.name, risk_above.name}, problems);
    if (known && node.find(pilot.name) == nullptr)
        problems.add(node.place, key + ".pilot", fmt::format("missing; it must be given: {} ({})", pilot.allowed(), pilot.meaning));
    if (const auto value = read_member(pilot, node, key, problems)) criterion.pilot = value->integer;
    if (const auto value = read_member(risk_above, node, key, problems)) {
        criterion.event = StoppingCriterion::Event::RiskAbove;
        criterion.risk_above = value->number;
    }
}

/// "a and b are both given", at the second of them; true if that is so.
bool refuse_both(const Node& table, const Parameter& one, const Parameter& other, const std::string& why, Problems& problems) {
    if (table.find(one.name) == nullptr || table.find(other.name) == nullptr) return false;
    problems.add(table.find(other.name)->place, fmt::format("trials.until.{}", other.name),
                 fmt::format("cannot be given together with {}: {}; omit one of them", one.name, why));
    return true;
}

void read_until(const Node& node, StoppingCriterion& criterion, Problems& problems) {
    const std::string key = "trials.until";
    if (node.kind != Node::Kind::Table) {
        problems.add(node.place, key, fmt::format("{}; allowed is a table with interval_half_width or events: {}", node.shown(), example));
        return;
    }
    const bool known = refuse_unknown(node, key, {half_width.name, events.name, event.name, risk_above.name}, problems);
    refuse_both(node, half_width, events, "a cell has one stopping condition", problems);
    refuse_both(node, event, risk_above, "one event is counted", problems);
    if (known && node.find(half_width.name) == nullptr && node.find(events.name) == nullptr) {
        problems.add(
            node.place, key,
            fmt::format("no stopping condition; it needs interval_half_width, {}, or events, {}", half_width.allowed(), events.allowed()));
    }
    if (const auto value = read_member(half_width, node, key, problems)) {
        criterion.until = StoppingCriterion::Until::IntervalHalfWidth;
        criterion.half_width = value->number;
    }
    if (const auto value = read_member(events, node, key, problems)) criterion.events = value->integer;
    if (const auto value = read_member(event, node, key, problems))
        criterion.event = value->integer == 0 ? StoppingCriterion::Event::Inactive : StoppingCriterion::Event::Diverged;
    if (const auto value = read_member(risk_above, node, key, problems)) {
        criterion.event = StoppingCriterion::Event::RiskAbove;
        criterion.risk_above = value->number;
    }
}

}  // namespace

void read_trials(const Parameter& number, const Node& node, Campaign& campaign, Problems& problems) {
    const std::string key = "trials";
    if (node.kind != Node::Kind::Table) {
        if (const auto value = read_value(number, node, key, problems)) campaign.trials = value->integer;
        return;
    }
    const bool known = refuse_unknown(node, key, {at_most.name, "until", "share"}, problems);
    StoppingCriterion criterion;
    if (const auto value = read_member(at_most, node, key, problems)) criterion.at_most = value->integer;
    if (known && node.find(at_most.name) == nullptr)
        problems.add(node.place, key + ".at_most", fmt::format("missing; it must be given: {} ({})", at_most.allowed(), at_most.meaning));
    const Node *until = node.find("until"), *share = node.find("share");
    if (until != nullptr && share != nullptr) {
        problems.add(share->place, key + ".share", "cannot be given together with until: a store has one rule; omit one of them");
    } else if (until != nullptr) {
        read_until(*until, criterion, problems);
    } else if (share != nullptr) {
        read_share(*share, criterion, problems);
    } else if (known) {
        problems.add(node.place, key + ".until",
                     fmt::format("missing; write {}, for strata {}, or a number alone: trials = 1000", example, shared_example));
    }
    campaign.trials = criterion.at_most;
    campaign.until = criterion;
}

const char* trials_key(const Node& root) {
    const Node* node = root.find("trials");
    return node != nullptr && node->kind == Node::Kind::Table ? "trials.at_most" : "trials";
}

std::vector<const Parameter*> trials_parameters() { return {&at_most, &half_width, &events, &event, &risk_above, &pilot}; }

}  // namespace limrisk
