// What documents of a store know of the trials of a cell, one trial after the other.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "campaign/cell.hpp"
#include "store/pool.hpp"

namespace limrisk {

/// Of trials 0, 1, ... of a cell, as far as they are known without a gap; of a pooled cell of those of each seed, one seed after the other.
///   parts   the documents, by the id of their cell, each id's ascending by first_trial
///   values  of each trial of a document
///   visit   is called with the number of each trial in the cell and its value
template <class Part, class Value, class Visit>
std::vector<Value> known_trials(const CellConfig& cell, const Pool& pool, const std::map<std::string, std::vector<Part>>& parts,
                                std::vector<Value> Part::*values, Visit visit) {
    std::vector<Value> all;
    for (const DocumentTrials& of : document_trials(pool, cell)) {
        const auto found = parts.find(of.id);
        if (found == parts.end()) continue;
        std::int64_t next = 0;
        for (const Part& part : found->second) {
            if (part.first_trial != next) continue;
            for (const Value& value : part.*values) {
                if (next == of.count) break;
                visit(of.first + next++, value);
                all.push_back(value);
            }
        }
    }
    return all;
}

}  // namespace limrisk
