// The bottom of the valley of the risk in which a network lies: docs/optimum.md, section "Valleys".
#pragma once
#include "optimum/descent.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// What two descents from a network say of its valley.
enum class ValleyOutcome {
    Bottom,       ///< both end at the same risk, with a gradient of 0
    Unconfirmed,  ///< they end at different risks: the walls of the valley are low
    Saddle,       ///< the slow descent leads from a flat place down a steeper one: the start was beside a saddle, or on a plateau
    Unfinished,   ///< the slow descent has found no place with a gradient of 0
    Diverged,     ///< the network, its risk or its gradient is not finite
};
inline constexpr int valley_outcome_count = 5;
/// "bottom", "unconfirmed" ...
const char* valley_outcome_name(ValleyOutcome outcome);

struct Valley {
    ValleyOutcome outcome = ValleyOutcome::Diverged;
    double risk = 0;           ///< at the bottom; of the other outcomes: where the slow descent ended
    double gradient_norm = 0;  ///< there
    double distance = 0;       ///< from the network to there, Euclid's
    bool has_bottom() const { return outcome == ValleyOutcome::Bottom; }
};

/// Largest relative difference of two risks that count as those of one bottom.
inline constexpr double same_bottom = 1e-6;
/// Largest norm of the gradient at a bottom, of risks whose scale (that of the best constant) is 1.
inline constexpr double flat_gradient = 1e-10;

/// How many times as steep as at its start a descent may become and still count as one into the valley of the start.
inline constexpr double steeper = 10;

class ValleySearch {
public:
    /// Of the true risk of the problem: exact where has_exact_integral() says so, else of the final evaluation rule. Squared loss only.
    explicit ValleySearch(const Problem& problem);

    /// Descends twice: in short steps (descend_slowly), and by L-BFGS followed by polish(). The result is that of the first; the second
    /// confirms it. Deterministic.
    Valley find(const Network& start, const SearchClock& clock) const;
    /// Whether two risks are those of one bottom.
    bool same(double first, double second) const;
    double zero() const { return risk_.largest_zero(); }

private:
    TrueRisk risk_;
};

}  // namespace limrisk::optimum
