// See proved_limits.hpp.
#include "campaign/proved_limits.hpp"

namespace limrisk {

std::string no_limits_reason(const CellConfig& cell) {
    const kernels::LearningRate& rate = cell.learning_rate;
    if (cell.has_own_points()) return "every trial draws its own data points; limits are proved on points that all trials share";
    if (!cell.has_full_batch())
        return "every step draws its samples; limits are proved where all steps use the same points (`sampling = { nodes = M }`, or "
               "\"full_batch\" with data points)";
    using enum kernels::OptimizerKind;
    const bool plain = cell.optimizer.kind == Sgd;
    if (!plain && cell.optimizer.kind != Momentum && cell.optimizer.kind != Nesterov)
        return "limits are proved for gradient descent, plain or with momentum (`optimizer`: sgd, momentum, nesterov)";
    if (cell.optimizer.weight_decay != 0) return "limits are proved without weight decay";
    const bool polynomial = rate.kind == kernels::ScheduleKind::Polynomial, constant = polynomial && rate.power == 0;
    if (!plain && !constant) return "limits with momentum are proved for constant learning rates";
    if (!plain && rate.warmup > 0) return "limits with momentum are proved without a warm-up of the learning rate";
    if (!(polynomial && rate.power <= 1) && rate.kind != kernels::ScheduleKind::InverseTime)
        return "limits are proved for learning rates that are constant, or vanish with an infinite sum (`polynomial` up to the power 1, "
               "`inverse_time`)";
    if (rate.warmup > cell.steps) return "the learning rate still grows at the last step; limits are proved for rates that do not grow";
    const bool vanishes = cell.precision == kernels::Precision::Float32 && static_cast<float>(rate.initial) == 0;
    if (!(rate.initial > 0) || vanishes) return "the learning rate is 0";
    if (!kernels::is_piecewise_linear(cell.activation.kind))
        return "limits are proved for activations that are linear between kinks (relu, leaky_relu, clipping)";
    if (!cell.has_squared_loss()) return "limits are proved for the squared loss alone";
    if (cell.skip) return "limits are proved for networks without a skip connection (`skip = false`)";
    if (!cell.trains_all()) return "limits are proved where all parameters are trained (`trainable = \"all\"`, `outer_bias = true`)";
    return "";
}

}  // namespace limrisk
