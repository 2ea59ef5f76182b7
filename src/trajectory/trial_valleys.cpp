// See trial_valleys.hpp.
#include "trajectory/trial_valleys.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"
#include "optimum/problem.hpp"
#include "store/document_table.hpp"

namespace limrisk {
namespace {

using optimum::Valley;
using optimum::ValleyOutcome;

TrialStudy::Answer search_valleys(const CellPlan& plan) {
    const CellConfig& cell = plan.config();
    const auto search = std::make_shared<const optimum::ValleySearch>(optimum::problem_of(cell));
    return [search, width = cell.width, dimension = cell.input.dimension](
               std::int64_t first_trial, const std::vector<TrialStudy::LastNetwork>& networks, const std::function<bool()>& stopped) {
        const optimum::SearchControl control{.seconds = 1e9, .stopped = stopped};
        TrialValleys result{first_trial, {}};
        try {
            for (const TrialStudy::LastNetwork& network : networks)
                result.valleys.push_back(network ? search->find({width, dimension, network->parameters}, optimum::SearchClock(control))
                                                 : Valley{});
        } catch (const optimum::SearchStopped&) {
        }
        return valleys_to_json(result);
    };
}

std::int64_t trials_of_valleys(const std::string& text, std::int64_t first_trial) {
    return static_cast<std::int64_t>(valleys_from_json(text, first_trial).valleys.size());
}

}  // namespace

std::string no_valleys_reason(const CellConfig& cell) {
    if (!cell.has_squared_loss()) return "valleys are searched for the squared loss alone";
    if (cell.skip) return "valleys are searched for networks without a skip connection (`skip = false`)";
    if (cell.has_own_points())
        return "every trial draws its own data points, hence has a risk of its own; valleys are searched for one risk";
    if (!cell.trains_all())
        return "valleys are those of all parameters; they are searched where all are trained (`trainable = \"all\"`, `outer_bias = true`)";
    const auto parameters = static_cast<std::size_t>(cell.parameter_count());
    if (parameters > optimum::most_parameters)
        return fmt::format("the network has {} parameters; valleys are searched for up to {}", parameters, optimum::most_parameters);
    return "";
}

std::string valleys_to_json(const TrialValleys& valleys) {
    nlohmann::ordered_json outcomes = nlohmann::ordered_json::array(), risks = outcomes, gradients = outcomes, distances = outcomes;
    for (const Valley& valley : valleys.valleys) {
        const bool known = valley.outcome != ValleyOutcome::Diverged;
        outcomes.push_back(optimum::valley_outcome_name(valley.outcome));
        risks.push_back(known ? nlohmann::ordered_json(valley.risk) : nullptr);
        gradients.push_back(known ? nlohmann::ordered_json(valley.gradient_norm) : nullptr);
        distances.push_back(known ? nlohmann::ordered_json(valley.distance) : nullptr);
    }
    return nlohmann::ordered_json{
        {"first_trial", valleys.first_trial}, {"outcome", outcomes}, {"risk", risks}, {"gradient_norm", gradients}, {"distance", distances}}
        .dump();
}

TrialValleys valleys_from_json(const std::string& text, std::int64_t first_trial) {
    const auto refuse = [](const std::string& what) -> TrialValleys {
        throw StoreError(ExitCode::Data, "the store has a document of valleys that is none: " + what);
    };
    TrialValleys valleys;
    try {
        const nlohmann::json json = nlohmann::json::parse(text);
        valleys.first_trial = json.at("first_trial").get<std::int64_t>();
        const nlohmann::json &outcomes = json.at("outcome"), &risks = json.at("risk"), &gradients = json.at("gradient_norm"),
                             &distances = json.at("distance");
        const std::size_t count = outcomes.size();
        if (valleys.first_trial != first_trial)
            return refuse(fmt::format("it begins with trial {}, not {}", valleys.first_trial, first_trial));
        if (risks.size() != count || gradients.size() != count || distances.size() != count) return refuse("its lists differ");
        for (std::size_t k = 0; k < count; ++k) {
            int outcome = 0;
            while (outcome < optimum::valley_outcome_count &&
                   outcomes[k] != optimum::valley_outcome_name(static_cast<ValleyOutcome>(outcome)))
                ++outcome;
            if (outcome == optimum::valley_outcome_count) return refuse("an outcome is unknown");
            Valley& valley = valleys.valleys.emplace_back(Valley{static_cast<ValleyOutcome>(outcome)});
            if (valley.outcome == ValleyOutcome::Diverged) continue;
            valley.risk = risks[k].get<double>();
            valley.gradient_norm = gradients[k].get<double>();
            valley.distance = distances[k].get<double>();
            if (!(valley.risk >= 0 && valley.gradient_norm >= 0 && valley.distance >= 0)) return refuse("a number is negative");
        }
    } catch (const nlohmann::json::exception& error) {
        return refuse(error.what());
    }
    return valleys;
}

const TrialStudy valley_study{"valleys", document_kind::valleys, no_valleys_reason, trials_of_valleys, search_valleys};

}  // namespace limrisk
