// See trial_limits.hpp.
#include "trajectory/trial_limits.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"
#include "store/document_table.hpp"

namespace limrisk {
namespace {

using certificate::LimitOutcome;

TrialLimit limit_of(const CellPlan& plan, const TrialStudy::End& end) {
    const certificate::LimitCertificate found =
        certificate::certify_limit(plan.cell(), end.parameters.data(), end.first_state.data(), end.step);
    return {found.outcome, found.risk};
}

TrialStudy::Answer prove_limits(const CellPlan& plan) {
    return [&plan](std::int64_t first_trial, const std::vector<TrialStudy::LastNetwork>& networks, const std::function<bool()>& stopped) {
        TrialLimits result{first_trial, {}};
        for (const TrialStudy::LastNetwork& network : networks) {
            if (stopped()) break;
            result.limits.push_back(network ? limit_of(plan, *network) : TrialLimit{});
        }
        return limits_to_json(result);
    };
}

std::int64_t trials_of_limits(const std::string& text, std::int64_t first_trial) {
    return static_cast<std::int64_t>(limits_from_json(text, first_trial).limits.size());
}

}  // namespace

std::string limits_to_json(const TrialLimits& limits) {
    nlohmann::ordered_json outcomes = nlohmann::ordered_json::array(), low = outcomes, high = outcomes;
    for (const TrialLimit& limit : limits.limits) {
        outcomes.push_back(certificate::limit_outcome_name(limit.outcome));
        low.push_back(limit.is_proved() ? nlohmann::ordered_json(limit.risk.low) : nullptr);
        high.push_back(limit.is_proved() ? nlohmann::ordered_json(limit.risk.high) : nullptr);
    }
    return nlohmann::ordered_json{{"first_trial", limits.first_trial}, {"outcome", outcomes}, {"low", low}, {"high", high}}.dump();
}

TrialLimits limits_from_json(const std::string& text, std::int64_t first_trial) {
    const auto refuse = [](const std::string& what) -> TrialLimits {
        throw StoreError(ExitCode::Data, "the store has a document of limits that is none: " + what);
    };
    TrialLimits limits;
    try {
        const nlohmann::json json = nlohmann::json::parse(text);
        limits.first_trial = json.at("first_trial").get<std::int64_t>();
        const nlohmann::json &outcomes = json.at("outcome"), &low = json.at("low"), &high = json.at("high");
        if (limits.first_trial != first_trial) return refuse(fmt::format("its first trial is not {}", first_trial));
        if (low.size() != outcomes.size() || high.size() != outcomes.size()) return refuse("its lists differ");
        for (std::size_t k = 0; k < outcomes.size(); ++k) {
            int outcome = 0;
            while (outcome < certificate::limit_outcome_count &&
                   outcomes[k] != certificate::limit_outcome_name(static_cast<LimitOutcome>(outcome)))
                ++outcome;
            if (outcome == certificate::limit_outcome_count) return refuse("an outcome is unknown");
            TrialLimit& limit = limits.limits.emplace_back(TrialLimit{static_cast<LimitOutcome>(outcome), {}});
            if (limit.is_proved()) limit.risk = {low[k].get<double>(), high[k].get<double>()};
            if (!(0 <= limit.risk.low && limit.risk.low <= limit.risk.high)) return refuse("a limit has no bounds");
        }
    } catch (const nlohmann::json::exception& error) {
        return refuse(error.what());
    }
    return limits;
}

const TrialStudy limit_study{"limits", document_kind::limits, no_limits_reason, trials_of_limits, prove_limits};

}  // namespace limrisk
