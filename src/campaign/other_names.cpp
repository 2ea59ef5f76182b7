// A row per name of limrisk. A name of others may stand in several rows: those that an entry does not know are passed over.
#include "campaign/other_names.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "expression/nearest_name.hpp"
#include "kernels/kinds.hpp"

namespace limrisk {
namespace {

struct OtherNames {
    const char* ours;
    const char* theirs;  ///< separated by spaces; lower case, without '_' and '-'
};

constexpr std::array other_names{
    // keys
    OtherNames{"steps", "epochs nepochs numepochs iterations iters niter maxiter maxsteps nsteps numsteps nit"},
    OtherNames{"trials", "runs replicas repetitions repeats ntrials numtrials nruns seeds"},
    OtherNames{"seed", "randomseed randomstate rngseed key"},
    OtherNames{"precision", "dtype floatx"},
    OtherNames{"input", "x distribution inputs domain law"},
    OtherNames{"target", "f y function fn label labels"},
    OtherNames{"loss", "lossfn lossfunction criterion objective"},
    OtherNames{"width", "hidden hiddensize hiddenunits hiddendim hiddenlayersizes units neurons nhidden nneurons h m layers features"},
    OtherNames{"activation", "act nonlinearity activationfn activationfunction"},
    OtherNames{"initialization", "init initializer initialisation kernelinit kernelinitializer weightinit"},
    OtherNames{"skip", "residual skipconnection resnet shortcut linearskip"},
    OtherNames{"sampling", "sampler dataset data"},
    OtherNames{"batch", "batchsize minibatch minibatchsize bs nsamples"},
    OtherNames{"optimizer", "opt optim solver optimiser method"},
    OtherNames{"average", "averaging averages swa ema polyak averagedmodel"},
    OtherNames{"checks", "nchecks nevals numevals"},
    OtherNames{"tolerance", "tol rtol"},
    OtherNames{"nodes", "nnodes gridpoints points npoints"},
    // parameters of optimizers and schedules
    OtherNames{"learning_rate", "lr eta gamma stepsize rate initiallr initiallearningrate learningrateinit"},
    OtherNames{"alpha", "beta1 b1 momentum mu decay1"},
    OtherNames{"beta", "beta2 b2 rho alpha decay decayrate smoothing decay2"},
    OtherNames{"rho", "beta beta2 b2 alpha decay decayrate"},
    OtherNames{"initial_accumulator", "initialaccumulatorvalue accumulator initialsum"},
    OtherNames{"weight_decay", "l2 wd lambda decay weightdecayrate l2regularization"},
    OtherNames{"decoupled", "decoupledweightdecay adamw"},
    OtherNames{"momentum_decay", "psi scheduledecay"},
    OtherNames{"epsilon", "eps delta initialaccumulatorvalue"},
    OtherNames{"epsilon_inside", "epsroot epsinsqrt epsilonroot"},
    OtherNames{"bias_correction", "debias unbiased biascorrected"},
    OtherNames{"factor", "gamma decay decayrate drop multiplier rate"},
    OtherNames{"every", "stepsize decaysteps transitionsteps period steps"},
    OtherNames{"period", "tmax decaysteps steps every"},
    OtherNames{"least", "minlr minscale"},
    OtherNames{"threshold", "rtol mindelta"},
    OtherNames{"last", "etamin minlr final end endvalue minimum"},
    OtherNames{"start", "t0 from first startstep swastart begin"},
    OtherNames{"last", "window share fraction tail"},
    OtherNames{"delta", "decay alpha beta momentum"},
    OtherNames{"warmup", "warmupsteps nwarmup numwarmupsteps"},
    OtherNames{"initial", "lr eta gamma initvalue initiallr initiallearningrate learningrate value"},
    OtherNames{"delta", "beta threshold huberdelta"},
    OtherNames{"exponent", "p power order"},
    OtherNames{"power", "exponent decay decayrate p degree order"},
    // parameters of activations, initializations and input laws
    OtherNames{"slope", "negativeslope alpha leak"},
    OtherNames{"low", "min minval minvalue minimum a lower lo left start"},
    OtherNames{"high", "max maxval maxvalue maximum b upper hi right end stop"},
    OtherNames{"bias", "biasinit biasinitializer usebias biases"},
    OtherNames{"dimension", "d dim ndim dims infeatures inputsize inputdim inputshape nfeatures"},
    OtherNames{"mean", "mu loc location"},
    OtherNames{"deviation", "std sigma stddev sd scale standarddeviation"},
    OtherNames{"name", "type kind class classname"},
    OtherNames{"law", "type kind distribution name"},
    OtherNames{"schedule", "type kind name policy"},
    OtherNames{"kind", "type name law"},
    // names of a choice; those of activations, optimizers and losses stand with their rows in kernels/
    OtherNames{"pytorch", "default torch torchdefault"},
    OtherNames{"kaiming_uniform", "heuniform"},
    OtherNames{"kaiming_normal", "henormal he kaiming"},
    OtherNames{"xavier_uniform", "glorotuniform glorot xavier"},
    OtherNames{"xavier_normal", "glorotnormal"},
    OtherNames{"lecun_normal", "lecun lecunnormalinit truncatednormal"},
    OtherNames{"orthogonal", "orthogonalinit orthonormal semiorthogonal"},
    OtherNames{"randomized_asymmetric", "rai asymmetric randomizedasymmetricinitialization"},
    OtherNames{"standard_normal", "normal gaussian randn randomnormal"},
    OtherNames{"uniform", "randomuniform box rand"},
    OtherNames{"normal", "gaussian norm randn"},
    OtherNames{"constant", "fixed none"},
    OtherNames{"polynomial", "power powerlaw inverse inversepower invscaling poly polynomialdecay"},
    OtherNames{"step", "steplr staircase stepdecay halving"},
    OtherNames{"exponential", "exponentiallr exponentialdecay exp geometric"},
    OtherNames{"inverse_time", "inversetimedecay timebased hyperbolic"},
    OtherNames{"cosine", "cosineannealing cosineannealinglr cosinedecay cos"},
    OtherNames{"adaptive", "reducelronplateau reduceonplateau plateau"},
    OtherNames{"search", "ratesearch linesearch findlr gridsearch"},
    OtherNames{"piecewise", "piecewiseconstant piecewiseconstantdecay multistep multisteplr milestones"},
    OtherNames{"arithmetic", "mean polyak ruppertpolyak ruppert swa asgd uniform"},
    OtherNames{"exponential", "ema exponentialmovingaverage movingaverage ewma"},
    OtherNames{"fresh", "random iid online stochastic population"},
    OtherNames{"float32", "float single fp32 f32"},
    OtherNames{"float64", "double fp64 f64"},
};

std::string bare(std::string_view name) {
    std::string letters;
    for (const char c : name.substr(0, 64))
        if (c != '_' && c != '-') letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return letters;
}

}  // namespace

std::string name_elsewhere(std::string_view name, const std::vector<std::string>& known) {
    const std::string wanted = bare(name);
    const auto is_meant = [&](const OtherNames& row) {
        if (std::find(known.begin(), known.end(), row.ours) == known.end()) return false;
        std::istringstream theirs(row.theirs);
        for (std::string one; theirs >> one;)
            if (wanted == one) return true;
        return wanted == bare(row.ours);
    };
    for (const OtherNames& row : other_names)
        if (is_meant(row)) return row.ours;
    for (const auto& row : kernels::activation_table)
        if (is_meant({row.name, row.other_names})) return row.name;
    for (const auto& row : kernels::optimizer_table)
        if (is_meant({row.name, row.other_names})) return row.name;
    for (const auto& row : kernels::loss_table)
        if (is_meant({row.name, row.other_names})) return row.name;
    return "";
}

std::string meant_name(std::string_view name, const std::vector<std::string>& known) {
    const std::string elsewhere = name_elsewhere(name, known);
    return elsewhere.empty() ? nearest_name(name, known) : elsewhere;
}

}  // namespace limrisk
