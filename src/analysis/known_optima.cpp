// Documents of kind "optimum" and "levels", by problem.
#include "analysis/known_optima.hpp"

#include <fmt/format.h>

#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"

namespace limrisk {

namespace opt = limrisk::optimum;

std::optional<KnownOptimum> KnownProblem::optimum(std::int64_t width) const {
    const auto found = optima.find(width);
    return found == optima.end() ? std::nullopt : std::optional(found->second);
}

KnownOptima::KnownOptima(const Store& store) {
    for (const StoredDocument& document : store.documents(document_kind::optimum)) {
        const opt::Optimum optimum = opt::optimum_from_json(document.text);
        KnownProblem& problem = problems_[document.id];
        problem.optima[document.number] = {optimum.risk, optimum.lower_bound, optimum.attained,  document.created,
                                           "",           optimum.risk,        optimum.parameters};
        problem.allowances[document.number] = optimum.allowance;
    }
    for (const StoredDocument& document : store.documents(document_kind::levels))
        problems_[document.id].catalogs[document.number] = opt::levels_from_json(document.text);
}

const KnownProblem& KnownOptima::of(const CellConfig& cell) const {
    static const KnownProblem nothing;
    const auto found = problems_.find(opt::problem_of(cell).id);
    return found == problems_.end() ? nothing : found->second;
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
                lines.push_back(
                    fmt::format("{}, width {}: the optimum {:.15g} stored {} is none: {} has {:.15g}. The statistics follow the trial; "
                                "search again with "
                                "`limrisk optimum CAMPAIGN --store STORE --again --replace`",
                                label, width, optimum.stored_risk, optimum.created, optimum.beaten_by, optimum.risk));
    return lines;
}

}  // namespace limrisk
