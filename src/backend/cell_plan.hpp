// A cell made ready to run: tables computed once, and the plain kernels::Cell that views them.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "campaign/block_size.hpp"
#include "campaign/cell.hpp"
#include "evaluation/density_law.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"
#include "kernels/cell.hpp"

namespace limrisk {

/// The expressions of a cell as its kernels run them.
struct CellPrograms {
    Expression target;
    Expression density;       ///< of the input, where risks are integrals against it and it is given so; else empty
    Expression noise_factor;  ///< what the noise is multiplied by; else empty
};
CellPrograms programs_of(const CellConfig& config);

/// Owns what kernels::Cell points into. Not copyable: the views would dangle.
class CellPlan {
public:
    /// Throws ConfigError if the target is not finite on the evaluation nodes.
    explicit CellPlan(const CellConfig& config);
    CellPlan(const CellPlan&) = delete;
    CellPlan& operator=(const CellPlan&) = delete;

    const CellConfig& config() const { return config_; }
    const kernels::Cell& cell() const { return cell_; }
    /// Where trials begin whose parameters the kernels do not draw, in canonical order, to be rounded to the cell's precision.
    struct Starts {
        const double* first = nullptr;   ///< of the first trial; null: the kernels draw them
        std::int64_t stride = 0;         ///< numbers from one trial to the next; 0: all have the same
        std::vector<double> drawn = {};  ///< what `first` points into, if the host drew them

        Starts() = default;
        Starts(const double* of_first, std::int64_t to_next) : first(of_first), stride(to_next) {}
        Starts(std::vector<double> numbers, std::int64_t to_next) : stride(to_next), drawn(std::move(numbers)) { first = drawn.data(); }
        Starts(Starts&&) = default;  // a vector that moves keeps its numbers where they are
        Starts& operator=(Starts&&) = default;
    };
    /// Of trials first_trial .. first_trial + count - 1. Throws Defect if not all have one.
    Starts starts(std::int64_t first_trial, std::int64_t count) const;
    /// Data points that trials have for themselves, [trials][points], inputs times the dimension: docs/numerics.md section 14. Inputs and
    /// targets are rounded to the cell's precision, weights are not.
    struct OwnPoints {
        std::vector<double> inputs, targets, weights;
    };
    /// Of trials first_trial .. first_trial + count - 1, of a cell that has some.
    OwnPoints own_points(std::int64_t first_trial, std::int64_t count) const;
    /// Trials per block of the store: a function of the cell alone.
    std::int64_t block_trials() const { return limrisk::block_trials(config_); }

private:
    void plan_data();
    void plan_own_points();
    void fill_scales();
    void fill_input_tables();
    void fill_training_nodes(const kernels::Program& program);

    CellConfig config_;
    CellPrograms programs_;
    NodeSet training_, check_, final_, validation_;
    std::vector<float> training_float_;  // inputs, targets, weights
    std::vector<double> mesh_;
    std::vector<kernels::Law> coordinates_;
    std::vector<std::uint32_t> thresholds_;
    std::shared_ptr<const QuantileNumbers<float>> table_float_;
    std::shared_ptr<const QuantileNumbers<double>> table_double_;
    kernels::Cell cell_{};
};

/// The target of a problem, compiled; with data "0", which nothing runs.
Expression target_of(const Problem& problem);

/// A cell without its tables: what its kernels are compiled from. Programs and coordinates must outlive it.
///   coordinates  coordinate_laws(config.input)
kernels::Cell kernel_cell(const CellConfig& config, const CellPrograms& programs, const std::vector<kernels::Law>& coordinates);

}  // namespace limrisk
