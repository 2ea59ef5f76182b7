// What a store knows of its problems: the best known risk of each width, and catalogues of levels.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/statement.hpp"
#include "campaign/cell.hpp"
#include "optimum/hierarchy.hpp"
#include "store/store.hpp"

namespace limrisk {

/// Of one problem (input law, target, activation).
struct KnownProblem {
    std::map<std::int64_t, KnownOptimum> optima;                   ///< by width
    std::map<std::int64_t, double> allowances;                     ///< by width: how much below an optimum final_risk may err
    std::map<std::int64_t, std::vector<optimum::Level>> catalogs;  ///< by width, ascending by risk

    std::optional<KnownOptimum> optimum(std::int64_t width) const;
};

/// Whether `here` is better than `there`, a document of the same kind, id and number, for MergeOptions: an optimum of a smaller risk,
/// limits or valleys of more trials.
bool better_document(const StoredDocument& there, const StoredDocument& here);

class KnownOptima {
public:
    /// Reads the documents. Throws StoreError(Data) if one is damaged.
    explicit KnownOptima(const Store& store);

    /// Empty if nothing is known.
    const KnownProblem& of(const CellConfig& cell) const;
    const KnownProblem& of(const optimum::Problem& problem) const;

    /// A network of `width` effective neurons has `risk`: if that is clearly below the best known one of a width from `width` on, by more
    /// than the rule behind `risk` may err (KnownProblem::allowances), it takes its place here (never in the store), with `who` as witness.
    /// True if so. `scale`: rounding_scale of the target.
    bool improve(const CellConfig& cell, std::int64_t width, double risk, double scale, const std::string& who);

    /// A line for each problem and width whose optimum was beaten.
    std::vector<std::string> warnings() const;

private:
    std::map<std::string, KnownProblem> problems_;  ///< by id
    std::map<std::string, std::string> labels_;     ///< of problems whose optima were beaten, by id
};

}  // namespace limrisk
