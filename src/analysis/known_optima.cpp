// Documents of kind "optimum" and "levels", by problem.
#include "analysis/known_optima.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "trajectory/trial_limits.hpp"
#include "trajectory/trial_valleys.hpp"

namespace limrisk {

namespace opt = limrisk::optimum;

namespace {

/// Relative difference of an optimum and the level that was found from it; a catalogue with a level further above its optimum is one of
/// before that optimum was found.
constexpr double same_optimum = 1e-6;

}  // namespace

std::optional<KnownOptimum> KnownProblem::optimum(std::int64_t width) const {
    const auto found = optima.find(width);
    return found == optima.end() ? std::nullopt : std::optional(found->second);
}

bool better_document(const StoredDocument& there, const StoredDocument& here) {
    for (const TrialStudy* study : {&limit_study, &valley_study})
        if (there.kind == study->document) return study->trials_of(here.text, here.number) > study->trials_of(there.text, there.number);
    return there.kind == document_kind::optimum && opt::optimum_from_json(here.text).risk < opt::optimum_from_json(there.text).risk;
}

KnownOptima::KnownOptima(const Store& store) {
    for (const StoredDocument& document : store.documents(document_kind::optimum)) {
        const opt::Optimum optimum = opt::optimum_from_json(document.text);
        KnownProblem& problem = problems_[document.id];
        problem.optima[document.number] = {optimum.risk, optimum.lower_bound,     optimum.attained,   document.created,   "",
                                           optimum.risk, optimum.ended == "time", optimum.parameters, optimum.is_global()};
        problem.allowances[document.number] = optimum.allowance;
    }
    for (const StoredDocument& document : store.documents(document_kind::levels)) {
        KnownProblem& problem = problems_[document.id];
        std::vector<opt::Level> levels = opt::levels_from_json(document.text);
        const auto is_old = [&](const opt::Level& level) {
            const auto optimum = level.optimum_of ? problem.optima.find(*level.optimum_of) : problem.optima.end();
            return optimum != problem.optima.end() && optimum->second.risk < level.risk * (1 - same_optimum);
        };
        if (!std::ranges::any_of(levels, is_old)) problem.catalogs[document.number] = std::move(levels);
    }
}

const KnownProblem& KnownOptima::of(const CellConfig& cell) const { return of(opt::problem_of(cell)); }

const KnownProblem& KnownOptima::of(const opt::Problem& problem) const {
    static const KnownProblem nothing;
    const auto found = problems_.find(problem.id);
    return found == problems_.end() || !problem.has_squared_loss() ? nothing : found->second;
}

bool KnownOptima::improve(const CellConfig& cell, std::int64_t width, double risk, double scale, const std::string& who) {
    const opt::Problem problem = opt::problem_of(cell);
    const auto known = problems_.find(problem.id);
    if (known == problems_.end()) return false;
    bool improved = false;
    for (auto& [wide, optimum] : known->second.optima) {
        if (wide < width || !opt::clearly_below(risk + known->second.allowances[wide], optimum.risk, scale)) continue;
        if (optimum.beaten_by.empty()) optimum.stored_risk = optimum.risk;
        optimum.risk = risk;
        optimum.beaten_by = who;
        optimum.global = false;
        labels_[problem.id] = problem.label;
        improved = true;
    }
    return improved;
}

std::vector<std::string> KnownOptima::warnings() const {
    std::vector<std::string> lines;
    for (const auto& [id, label] : labels_)
        for (const auto& [width, optimum] : problems_.at(id).optima)
            if (!optimum.beaten_by.empty())
                lines.push_back(fmt::format(
                    "{}, width {}: {} has the risk {:.15g} (inactive neurons not counted), below the optimum {:.15g} stored {}. "
                    "The statistics use the risk of the trial; search again, and longer, with `limrisk optimum CAMPAIGN "
                    "--store STORE --again --replace --seconds S`",
                    label, width, optimum.beaten_by, optimum.risk, optimum.stored_risk, optimum.created));
    return lines;
}

}  // namespace limrisk
