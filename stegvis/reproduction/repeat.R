# Reproduces Stegvis estimates from exported tables. Needs R 4 and the package sandwich; a few commands also need survival,
# nnet or mice.
#   source("repeat.R"); read_tables()
# then any command of commands.csv. Each gives one number: the estimate of its row. Where a command ends in ["estimate"],
# the same without it also gives the limits ("low", "high"), the standard error ("se") and the p-value ("p").

# ---- tables ----

# The tables written by stegvis export, under the names used in the commands. Of a wave: people (the analysis set),
# eligible (everyone eligible), days, cohort (everyone at baseline). Of all waves: answers (all analysis sets), histories (the outcome of all respondents).
read_tables <- function(folder = ".") {
  files <- c(people = "analysis_set", eligible = "eligible_people", days = "days", cohort = "cohort", answers = "answers", histories = "histories")
  for (name in names(files)) {
    file <- file.path(folder, paste0(files[[name]], ".csv"))
    if (file.exists(file)) assign(name, read_people(file), envir = globalenv())
  }
}

read_people <- function(file) {
  people <- read.csv(file, na.strings = "", stringsAsFactors = FALSE)
  for (name in intersect(names(LEVELS), names(people))) people[[name]] <- factor(people[[name]], levels = LEVELS[[name]])
  for (name in intersect(c("older", "answered", "weekend", "baseline_answered", "had_outcome", "recorded"), names(people))) people[[name]] <- people[[name]] == "True"
  if ("wave" %in% names(people)) people$wave <- factor(people$wave, levels = sort(unique(people$wave)))
  for (category in intersect(paste0(EXPOSURES, "_category"), names(people))) {
    people[[category]] <- factor(people[[category]], levels = 1:GROUPS[[sub("_category$", "", category)]])
  }
  people
}

# ---- categories ----

# Stata's xtile: the cut is the mean of two neighbours where n * p is whole; a value equal to a cut point goes to the lower group.
xtile <- function(x, groups) {
  cuts <- quantile(x, seq_len(groups - 1) / groups, type = 2)
  factor(1 + rowSums(outer(x, cuts, ">")), levels = seq_len(groups))
}

# The tables include categories; this cuts a sample at its own quantiles.
recut <- function(people) {
  for (exposure in EXPOSURES) people[[paste0(exposure, "_category")]] <- xtile(people[[exposure]], GROUPS[[exposure]])
  people
}

# At the published bounds: a value equal to a bound goes to the upper group.
fixed <- function(people) {
  for (exposure in EXPOSURES) {
    people[[paste0(exposure, "_category")]] <- factor(1 + findInterval(people[[exposure]], BOUNDS[[exposure]]), 1:GROUPS[[exposure]])
  }
  people
}

# ---- rare levels of covariates ----

# A level with too few events or non-events joins the one before it (the first joins the one after it), until none is left.
join_levels <- function(x, y) {
  x <- droplevels(x)
  repeat {
    few <- which(sapply(levels(x), function(level) min(sum(y[x == level]), sum(1 - y[x == level]))) < MINIMUM_EVENTS)
    if (nlevels(x) < 2 || !length(few)) return(x)
    first <- max(few[1] - 1, 1)
    levels(x)[first + 0:1] <- paste(levels(x)[first + 0:1], collapse = " or ")
  }
}

# The formula without covariates that are the same for everybody, and the people with joined levels.
sturdy <- function(formula, people) {
  labels <- attr(terms(formula), "term.labels")
  crossed <- unlist(strsplit(labels[grepl(":", labels, fixed = TRUE)], ":", fixed = TRUE))
  covariates <- setdiff(intersect(labels, c(names(LEVELS), ADJUSTED)), crossed)
  people <- people[complete.cases(people[intersect(all.vars(formula), names(people))]), ]
  y <- as.numeric(eval(formula[[2]], people))
  for (name in covariates) {
    if (is.factor(people[[name]])) people[[name]] <- join_levels(people[[name]], y)
  }
  same <- Filter(function(name) length(unique(people[[name]])) < 2, covariates)
  if (length(same)) formula <- update(formula, paste("~ . -", paste(same, collapse = " - ")))
  list(formula = formula, people = people)
}

# ---- modified Poisson regression ----

poisson_fit <- function(formula, people, weights = NULL) {
  people$.weight <- if (is.null(weights)) 1 else people[[weights]]
  made <- sturdy(formula, people)
  glm(made$formula, poisson, made$people, weights = .weight, control = glm.control(epsilon = 1e-14, maxit = 50))
}

# The variance: Huber and White's sandwich, times n/(n-1) where the protocol asks for Stata's; clustered without a factor.
robust <- function(fit, cluster = NULL) {
  if (!is.null(cluster)) return(sandwich::vcovCL(fit, cluster = cluster, type = "HC0", cadjust = FALSE))
  sandwich::vcovHC(fit, "HC0") * factor_of(nobs(fit))
}

factor_of <- function(n) if (VARIANCE == "stata") n / (n - 1) else 1

# An estimate from a log ratio, or from a difference, and its standard error.
ratio <- function(b, se) {
  z <- qnorm(.5 + CONFIDENCE / 2)
  c(estimate = exp(b), low = exp(b - z * se), high = exp(b + z * se), se = se, p = 2 * pnorm(-abs(b / se)))
}

difference <- function(b, se) {
  z <- qnorm(.5 + CONFIDENCE / 2)
  c(estimate = b, low = b - z * se, high = b + z * se, se = se, p = 2 * pnorm(-abs(b / se)))
}

# A linear combination of the coefficients of a model.
contrast <- function(b, V, weights) ratio(sum(weights * b), sqrt(max(drop(weights %*% V %*% weights), 0)))

# The risk ratio of one coefficient.
rr <- function(formula, people, name, weights = NULL, cluster = NULL) {
  fit <- poisson_fit(formula, people, weights)
  V <- robust(fit, if (!is.null(cluster)) people[[cluster]])
  if (is.numeric(name)) name <- names(coef(fit))[name]
  ratio(coef(fit)[[name]], sqrt(V[name, name]))
}

wald_of <- function(b, V) pchisq(drop(b %*% solve(V, b)), length(b), lower.tail = FALSE)

# The joint Wald test of all coefficients whose name contains a text.
wald <- function(formula, people, text, weights = NULL, cluster = NULL) {
  fit <- poisson_fit(formula, people, weights)
  names <- names(coef(fit))[grepl(text, names(coef(fit)), fixed = TRUE)]
  wald_of(coef(fit)[names], robust(fit, if (!is.null(cluster)) people[[cluster]])[names, names])
}

# The likelihood-ratio test of the ordinary Poisson likelihood.
likelihood_ratio <- function(full, nested, people) {
  one <- poisson_fit(full, people)
  other <- poisson_fit(nested, people)
  pchisq(2 * (logLik(one) - logLik(other))[[1]], length(coef(one)) - length(coef(other)), lower.tail = FALSE)
}

# The median of each category, for the trend.
medians <- function(x, category) ave(x, category, FUN = median)

# The E-value of an estimate, and of the limit nearest to 1 (1 where the interval includes 1).
e_value <- function(x) {
  r <- max(x, 1 / x)
  r + sqrt(r * (r - 1))
}

e_value_ci <- function(x) {
  if (x[["low"]] <= 1 && x[["high"]] >= 1) 1 else e_value(if (x[["low"]] > 1) x[["low"]] else x[["high"]])
}

events_per_coefficient <- function(formula, people) {
  fit <- poisson_fit(formula, people)
  sum(fit$y) / (length(coef(fit)) - 1)
}

# The share of fitted risks above 1; for few participants, at most the smallest share that may be published.
share_above_one <- function(formula, people) {
  above <- sum(fitted(poisson_fit(formula, people)) > 1)
  (if (above > 0 && above < SMALLEST_COUNT) SMALLEST_COUNT else above) / nrow(people)
}

# ---- curves ----

# Harrell's restricted cubic basis.
spline <- function(x, t) {
  k <- length(t)
  tau <- (t[k] - t[1])^2
  cube <- function(u) pmax(u, 0)^3
  columns <- sapply(1:(k - 2), function(j) {
    (cube(x - t[j]) - cube(x - t[k - 1]) * (t[k] - t[j]) / (t[k] - t[k - 1]) +
      cube(x - t[k]) * (t[k - 1] - t[j]) / (t[k] - t[k - 1])) / tau
  })
  cbind(x, matrix(columns, nrow = length(x)))
}

# The knots: percentiles by the rule of the protocol.
knots <- function(x) unname(quantile(x, KNOT_PERCENTILES, type = KNOT_TYPE))

# The curve's coefficients and their variance; `other` is an exposure adjusted for with its own curve.
spline_fit <- function(people, exposure, covariates, t, other = NULL, other_knots = NULL, cluster = NULL) {
  people$s <- spline(people[[exposure]], t)
  terms <- c("s", covariates)
  if (!is.null(other)) {
    people$s2 <- spline(people[[other]], other_knots)
    terms <- c("s", "s2", covariates)
  }
  fit <- poisson_fit(reformulate(terms, "low_back_pain"), people)
  chosen <- 2:length(t)
  list(b = coef(fit)[chosen], V = robust(fit, if (!is.null(cluster)) people[[cluster]])[chosen, chosen])
}

# The risk ratio of one value of an exposure against another, on the curve.
on_curve <- function(people, exposure, covariates, t, value, reference, other = NULL, other_knots = NULL, cluster = NULL) {
  fit <- spline_fit(people, exposure, covariates, t, other, other_knots, cluster)
  contrast(fit$b, fit$V, drop(spline(value, t) - spline(reference, t)))
}

# The Wald test of the terms of the curve from the first (overall) or second (nonlinearity) on.
curve_test <- function(people, exposure, covariates, t, from, other = NULL, other_knots = NULL, cluster = NULL) {
  fit <- spline_fit(people, exposure, covariates, t, other, other_knots, cluster)
  chosen <- from:length(fit$b)
  wald_of(fit$b[chosen], fit$V[chosen, chosen])
}

# The risk if everybody had more of an exposure, but for those who would be above a percentile, against the risk as observed.
shifted <- function(people, exposure, covariates, t, amount, highest, measure) {
  x <- people[[exposure]]
  limit <- quantile(x, highest, type = KNOT_TYPE)
  people$s <- spline(x, t)
  made <- sturdy(reformulate(c("s", covariates), "low_back_pain"), people)
  fit <- logistic(made$formula, made$people)
  influence <- sandwich::estfun(fit) %*% summary(fit)$cov.unscaled
  under <- lapply(list(x, ifelse(x + amount <= limit, x + amount, x)), function(values) {
    X <- model.matrix(fit)
    X[, 1 + seq_len(length(t) - 1)] <- spline(values, t)
    risk <- plogis(drop(X %*% coef(fit)))
    list(risk = mean(risk), influence = (risk - mean(risk) + drop(influence %*% crossprod(X, risk * (1 - risk)))) / nobs(fit))
  })
  V <- factor_of(nobs(fit)) * crossprod(sapply(under, `[[`, "influence"))
  s <- list(risk = sapply(under, `[[`, "risk"), V = V)
  if (measure == "rr") risk_ratio(s, 2) else risk_difference(s, 2)
}

# ---- additive interaction ----

# Low volume and low intensity as harmful. Rows: the three cells against neither, and the measures of interaction.
additive <- function(people, covariates) {
  for (exposure in EXPOSURES) {
    people[[paste0("low_", exposure)]] <- as.integer(as.integer(people[[paste0(exposure, "_category")]]) <= LOW_CATEGORIES)
  }
  fit <- poisson_fit(reformulate(c("low_walking_minutes * low_walking_met", covariates), "low_back_pain"), people)
  names <- c("low_walking_minutes", "low_walking_met", "low_walking_minutes:low_walking_met")
  b <- coef(fit)[names]
  V <- robust(fit)[names, names]
  L <- rbind(c(1, 0, 0), c(0, 1, 0), c(1, 1, 1))
  C <- L %*% V %*% t(L)
  cells <- lapply(1:3, function(i) contrast(b, V, L[i, ]))
  r <- sapply(cells, `[[`, "estimate")
  delta <- function(gradient) sqrt(drop(gradient %*% C %*% gradient))
  reri <- r[3] - r[1] - r[2] + 1
  # MOVER (Zou 2008): both, first, second.
  low <- sapply(cells, `[[`, "low")[c(3, 1, 2)]
  high <- sapply(cells, `[[`, "high")[c(3, 1, 2)]
  at <- r[c(3, 1, 2)]
  R <- cov2cor(C)[c(3, 1, 2), c(3, 1, 2)]
  root <- function(a) {
    sqrt(max(sum(a^2) - 2 * R[1, 2] * a[1] * a[2] - 2 * R[1, 3] * a[1] * a[3] + 2 * R[2, 3] * a[2] * a[3], 0))
  }
  excess <- r[1] + r[2] - 2
  synergy <- suppressWarnings(log((r[3] - 1) / excess))
  rbind(
    "low volume" = cells[[1]], "low intensity" = cells[[2]], "both low" = cells[[3]],
    "ratio_of_rr" = contrast(b, V, c(0, 0, 1)),
    "reri" = difference(reri, delta(c(-r[1], -r[2], r[3]))),
    "reri_mover" = c(
      reri, reri - root(c(at[1] - low[1], high[2:3] - at[2:3])), reri + root(c(high[1] - at[1], at[2:3] - low[2:3])), NA, NA
    ),
    "ap" = difference(reri / r[3], delta(c(-r[1], -r[2], r[1] + r[2] - 1) / r[3])),
    "synergy_index" = ratio(synergy, delta(c(-r[1] / excess, -r[2] / excess, r[3] / (r[3] - 1))))
  )
}

# ---- standardized risks ----

# The risk if everyone were in each category, with a covariance that treats the covariates as a sample too.
standardized <- function(formula, people, category, family = binomial) {
  made <- sturdy(formula, people)
  people <- made$people
  fit <- glm(made$formula, family, people, control = glm.control(epsilon = 1e-14, maxit = 50))
  influence <- sandwich::estfun(fit) %*% summary(fit)$cov.unscaled
  each <- lapply(levels(people[[category]]), function(level) {
    people[[category]] <- factor(level, levels(people[[category]]))
    X <- model.matrix(delete.response(terms(fit)), people, xlev = fit$xlevels)
    eta <- drop(X %*% coef(fit))
    risk <- fit$family$linkinv(eta)
    list(risk = mean(risk), influence = (risk - mean(risk) + drop(influence %*% crossprod(X, fit$family$mu.eta(eta)))) / nobs(fit))
  })
  influences <- sapply(each, `[[`, "influence")
  list(risk = sapply(each, `[[`, "risk"), V = factor_of(nobs(fit)) * crossprod(influences), influence = influences)
}

risk <- function(s, k) difference(s$risk[k], sqrt(s$V[k, k]))
risk_difference <- function(s, k) difference(s$risk[k] - s$risk[1], sqrt(s$V[k, k] + s$V[1, 1] - 2 * s$V[1, k]))
number_needed <- function(s, k) 1 / abs(s$risk[k] - s$risk[1])
risk_ratio <- function(s, k) {
  gradient <- c(-1 / s$risk[1], 1 / s$risk[k])
  ratio(log(s$risk[k] / s$risk[1]), sqrt(drop(gradient %*% s$V[c(1, k), c(1, k)] %*% gradient)))
}

# ---- overlap of the categories ----

# The propensity of the categories given covariates and squares: nnet's multinomial model, then Newton's method to the last
# digit. The last one is kept, since many commands need the same.
propensity <- function(people, category, covariates) {
  given <- list(people, category, covariates)
  if (identical(given, last_propensity$given)) return(last_propensity$found)
  people <- people[complete.cases(people[, c(covariates, category, "low_back_pain")]), ]
  made <- sturdy(reformulate(c(category, covariates), "low_back_pain"), people)
  used <- intersect(covariates, attr(terms(made$formula), "term.labels"))
  squares <- Filter(function(name) length(unique(people[[name]])) > 2, intersect(SQUARED, used))
  W <- model.matrix(reformulate(c(used, sprintf("I(%s^2)", squares))), made$people)
  W <- W[, colSums(W != 0) > 0]
  Z <- sweep(W, 2, sqrt(colMeans(W^2)), `/`)
  group <- droplevels(people[[category]])
  A <- sapply(levels(group), function(level) as.numeric(group == level))
  fit <- nnet::multinom(group ~ Z - 1, trace = FALSE, maxit = 1000, MaxNWts = 5000)
  b <- matrix(t(coef(fit)), ncol(Z))
  for (step in 1:8) {
    P <- exp(cbind(0, Z %*% b))
    P <- P / rowSums(P)
    free <- 2:ncol(A)
    scores <- do.call(cbind, lapply(free, function(l) Z * (A[, l] - P[, l])))
    information <- do.call(rbind, lapply(free, function(l) {
      do.call(cbind, lapply(free, function(m) crossprod(Z, Z * (P[, l] * ((l == m) - P[, m])))))
    }))
    inverse <- solve(information)
    b <- b + matrix(inverse %*% colSums(scores), ncol(Z))
  }
  found <- list(
    people = people, joined = made$people, category = category, covariates = used, Z = Z, A = A, P = P,
    influence = scores %*% inverse
  )
  last_propensity$given <- given
  last_propensity$found <- found
  found
}
last_propensity <- new.env()

# The influence of each person through the propensity: of a sum whose terms have these derivatives by the linear predictors.
through <- function(g, slopes) drop(g$influence %*% as.vector(crossprod(g$Z, slopes)))

smallest_probability <- function(g, k) mean(head(sort(g$P[, k]), SMALLEST_COUNT))

# The smaller share of two categories with a preference score in equipoise; for few participants, the share that may be
# published.
equipoise <- function(g, k) {
  score <- plogis(log(g$P[, k] / g$P[, 1]) - log(mean(g$A[, k]) / mean(g$A[, 1])))
  inside <- score >= EQUIPOISE[1] & score <= EQUIPOISE[2]
  min(sapply(c(1, k), function(l) {
    count <- sum(inside[g$A[, l] == 1])
    n <- sum(g$A[, l])
    if (count > 0 && count < SMALLEST_COUNT) count <- SMALLEST_COUNT
    if (n - count > 0 && n - count < SMALLEST_COUNT) count <- n - SMALLEST_COUNT
    count / n
  }))
}

inverse_weights <- function(g) 1 / rowSums(g$A * g$P)
overlap_weights <- function(g) 1 / rowSums(1 / g$P) / rowSums(g$A * g$P)
group_size <- function(g, k, w) effective_sample_size(w[g$A[, k] == 1])

# The largest difference of the means of two categories, over the levels of a covariate, in pooled standard deviations.
group_balance <- function(g, column, w = rep(1, nrow(g$A))) {
  x <- g$people[[column]]
  columns <- if (is.factor(x)) sapply(levels(droplevels(x)), function(level) as.numeric(x == level)) else cbind(x)
  groups <- lapply(seq_len(ncol(g$A)), function(l) g$A[, l] == 1)
  max(apply(columns, 2, function(x) {
    spread <- sqrt(mean(sapply(groups, function(of) mean((x[of] - mean(x[of]))^2))))
    diff(range(sapply(groups, function(of) weighted.mean(x[of], w[of])))) / spread
  }), na.rm = TRUE)
}

# Doubly robust risks (augmented inverse-probability weighting), with the influence of both models.
doubly_robust <- function(g) {
  right <- reformulate(c(g$category, g$covariates), "low_back_pain")
  people <- g$joined
  people[[g$category]] <- droplevels(people[[g$category]])
  fit <- logistic(right, people)
  beta <- sandwich::estfun(fit) %*% summary(fit)$cov.unscaled
  n <- nrow(people)
  each <- lapply(seq_len(ncol(g$A)), function(k) {
    all <- levels(people[[g$category]])
    people[[g$category]] <- factor(all[k], all)
    X <- model.matrix(delete.response(terms(fit)), people, xlev = fit$xlevels)
    risk <- plogis(drop(X %*% coef(fit)))
    w <- g$A[, k] / g$P[, k]
    residual <- w * (fit$y - risk)
    slopes <- -residual * (matrix(seq_len(ncol(g$A)) == k, n, ncol(g$A), byrow = TRUE) - g$P)[, -1]
    moved <- drop(beta %*% crossprod(X, (1 - w) * risk * (1 - risk))) + through(g, slopes)
    list(risk = mean(risk + residual), influence = (risk + residual - mean(risk + residual) + moved) / n)
  })
  from_influence(sapply(each, `[[`, "risk"), sapply(each, `[[`, "influence"))
}

# Risks of the people who could be in any category.
overlap_weighted <- function(g) {
  w <- overlap_weights(g)
  slopes <- (w * rowSums(g$A * g$P) / g$P - g$A)[, -1]
  y <- g$people$low_back_pain
  each <- lapply(seq_len(ncol(g$A)), function(k) {
    own <- g$A[, k] * w
    residual <- own * (y - weighted.mean(y, own))
    list(risk = weighted.mean(y, own), influence = (residual + through(g, residual * slopes)) / sum(own))
  })
  from_influence(sapply(each, `[[`, "risk"), sapply(each, `[[`, "influence"))
}

from_influence <- function(risk, influence) {
  list(risk = risk, V = factor_of(nrow(influence)) * crossprod(influence), influence = influence)
}

# The ratio of a category by one estimator over that by another, in the same participants.
against <- function(one, other, k) {
  logs <- lapply(list(one, other), function(s) {
    list(b = log(s$risk[k] / s$risk[1]), influence = s$influence[, k] / s$risk[k] - s$influence[, 1] / s$risk[1])
  })
  apart <- logs[[1]]$influence - logs[[2]]$influence
  ratio(logs[[1]]$b - logs[[2]]$b, sqrt(factor_of(length(apart)) * sum(apart^2)))
}

# ---- other estimators ----

log_binomial <- function(formula, people, name) {
  start <- coef(poisson_fit(formula, people))
  made <- sturdy(formula, people)
  fit <- glm(made$formula, binomial("log"), made$people, start = start, control = glm.control(epsilon = 1e-14, maxit = 50))
  ratio(coef(fit)[[name]], sqrt(vcov(fit)[name, name]))
}

# With equal follow-up for everyone these are the Poisson ratios, with the HC0 variance.
cox <- function(formula, people, name) {
  made <- sturdy(formula, people)
  people <- transform(made$people, .time = 1)
  formula <- update(made$formula, survival::Surv(.time, low_back_pain) ~ .)
  fit <- survival::coxph(formula, people, ties = "breslow", robust = TRUE, control = survival::coxph.control(eps = 1e-12))
  ratio(coef(fit)[[name]], sqrt(vcov(fit)[name, name]))
}

# ---- loss to follow-up ----

# Without those who are known to have died or emigrated.
living <- function(eligible) {
  if (is.null(eligible$state)) eligible else eligible[!eligible$state %in% c("dead", "emigrated"), ]
}

# Everyone of them with known covariates.
everyone_of <- function(eligible) {
  eligible <- living(eligible)
  everyone <- eligible[complete.cases(eligible[, c(ADJUSTED, EXPOSURES)]), ]
  for (name in SQUARED) everyone[[paste0(name, "_squared")]] <- everyone[[name]]^2
  everyone
}

# The models of response: on all covariates, and on the categories of an exposure alone.
answer_model <- function(everyone) {
  logistic(reformulate(c(ADJUSTED, if (length(SQUARED)) paste0(SQUARED, "_squared"), EXPOSURES), "answered"), everyone)
}

answer_model_of <- function(everyone, exposure) logistic(reformulate(paste0(exposure, "_category"), "answered"), everyone)

logistic <- function(formula, people) {
  made <- sturdy(formula, people)
  glm(made$formula, binomial, made$people, control = glm.control(epsilon = 1e-14, maxit = 50))
}

# Respondents with their weights: "stabilized" or "unstabilized", optionally truncated at two quantiles.
answering <- function(eligible, exposure, kind = "stabilized", truncation = NULL) {
  everyone <- everyone_of(eligible)
  alone <- if (kind == "stabilized") fitted(answer_model_of(everyone, exposure)) else 1
  everyone$weight <- alone / fitted(answer_model(everyone))
  found <- everyone[everyone$answered, ]
  if (!is.null(truncation)) {
    limits <- quantile(found$weight, truncation, type = 7)
    found$weight <- pmin(pmax(found$weight, limits[1]), limits[2])
  }
  found
}

# A ratio with stabilized weights whose interval allows for their estimation: all estimating equations stacked (HC0).
stacked_rr <- function(formula, eligible, exposure, name) {
  everyone <- everyone_of(eligible)
  models <- list(answer_model(everyone), answer_model_of(everyone, exposure))
  everyone$weight <- fitted(models[[2]]) / fitted(models[[1]])
  yes <- everyone$answered
  fit <- poisson_fit(formula, everyone[yes, ], "weight")
  scores <- sandwich::estfun(fit)
  total <- matrix(0, nrow(everyone), ncol(scores))
  total[yes, ] <- scores
  for (i in 1:2) {
    slope <- c(-1, 1)[i] * (1 - fitted(models[[i]])[yes]) * model.matrix(models[[i]])[yes, ]
    total <- total + sandwich::estfun(models[[i]]) %*% summary(models[[i]])$cov.unscaled %*% crossprod(slope, scores)
  }
  V <- crossprod(total %*% summary(fit)$cov.unscaled)
  ratio(coef(fit)[[name]], sqrt(V[name, name]))
}

effective_sample_size <- function(w) sum(w)^2 / sum(w^2)
mean_of_largest <- function(w) mean(tail(sort(w), SMALLEST_COUNT))
mean_of_smallest <- function(p) mean(head(sort(p), SMALLEST_COUNT))

# Standardized difference between respondents and participants lost to follow-up; of one level, or of a number.
balance <- function(eligible, column, level = NULL, weighted = FALSE) {
  everyone <- everyone_of(eligible)
  probability <- fitted(answer_model(everyone))
  x <- if (is.null(level)) everyone[[column]] else as.numeric(everyone[[column]] == level)
  yes <- everyone$answered
  w <- if (weighted) 1 / ifelse(yes, probability, 1 - probability) else rep(1, length(x))
  spread <- function(x) mean((x - mean(x))^2)
  (weighted.mean(x[yes], w[yes]) - weighted.mean(x[!yes], w[!yes])) / sqrt((spread(x[yes]) + spread(x[!yes])) / 2)
}

# The share of a category lost to follow-up.
lost <- function(eligible, exposure, k) {
  eligible <- living(eligible)
  mean(!eligible$answered[eligible[[paste0(exposure, "_category")]] %in% k])
}

tipping_point <- function(x, lost) 1 + (1 / x - 1) / lost
tipping_point_limit <- function(x, lost) {
  if (x[["low"]] <= 1 && x[["high"]] >= 1) return(1)
  tipping_point(if (x[["high"]] < 1) x[["high"]] else x[["low"]], lost)
}

# ---- selection from the cohort ----

# Predictors that vary: of a factor, each level with enough people who pass the step and who fall out.
usable <- function(people, names, passed) {
  Filter(function(name) {
    x <- people[[name]]
    if (!is.factor(x)) return(min(x) < max(x))
    counts <- table(droplevels(x), passed)
    nrow(counts) > 1 && all(counts >= MINIMUM_EVENTS)
  }, names)
}

# The model of each step from the cohort to the analysis, of those who passed the steps before: `at` are their rows. A
# step that everybody passed has none. People with the outcome at baseline are not part of the target population.
selection_steps <- function(cohort) {
  passing <- list(
    covariates = complete.cases(cohort[, NEEDED]), baseline_answer = cohort$baseline_answered,
    recording = cohort$recorded & complete.cases(cohort[, EXPOSURES]), follow_up = cohort$answered
  )
  steps <- list()
  at <- seq_len(nrow(cohort))
  for (name in SELECTION_STEPS) {
    if (name == "follow_up") at <- at[!cohort$person[at] %in% setdiff(eligible$person, living(eligible)$person)]
    if (name == "recording" && FREE_AT_BASELINE) at <- at[!(cohort$had_outcome[at] %in% TRUE)]
    passed <- passing[[name]][at]
    people <- cohort[at, ]
    people$passed <- passed
    if (!all(passed)) {
      known <- Filter(function(column) name != "covariates" || !anyNA(people[[column]]), ADJUSTED)
      columns <- usable(people, c(known, if (name == "follow_up") EXPOSURES), passed)
      squared <- intersect(SQUARED, columns)
      for (column in squared) people[[paste0(column, "_squared")]] <- people[[column]]^2
      if (sum(!passed) < MINIMUM_EVENTS) columns <- squared <- character()
      terms <- c(columns, if (length(squared)) paste0(squared, "_squared"))
      steps[[name]] <- list(at = at, fit = logistic(reformulate(if (length(terms)) terms else "1", "passed"), people))
    }
    at <- at[passed]
  }
  list(steps = steps, analyzed = at)
}

# Analyzed people with the product of the inverse probabilities of all steps, optionally truncated at two quantiles.
selected <- function(cohort, people, truncation = NULL, selection = selection_steps(cohort)) {
  weight <- rep(1, nrow(cohort))
  for (step in selection$steps) weight[step$at] <- weight[step$at] / fitted(step$fit)
  found <- people[people$person %in% cohort$person[selection$analyzed], ]
  found$weight <- weight[match(found$person, cohort$person)]
  if (!is.null(truncation)) {
    limits <- quantile(found$weight, truncation, type = 7)
    found$weight <- pmin(pmax(found$weight, limits[1]), limits[2])
  }
  found
}

smallest_chance_of_step <- function(cohort, name) {
  step <- selection_steps(cohort)$steps[[name]]
  if (is.null(step)) 1 else mean_of_smallest(fitted(step$fit))
}

# A ratio with these weights whose interval allows for their estimation: all estimating equations stacked (HC0).
selected_rr <- function(formula, cohort, people, name) {
  selection <- selection_steps(cohort)
  found <- selected(cohort, people, selection = selection)
  fit <- poisson_fit(formula, found, "weight")
  scores <- sandwich::estfun(fit)
  rows <- match(found$person, cohort$person)
  total <- matrix(0, nrow(cohort), ncol(scores))
  total[rows, ] <- scores
  for (step in selection$steps) {
    own <- match(rows, step$at)
    slope <- -(1 - fitted(step$fit)[own]) * model.matrix(step$fit)[own, , drop = FALSE]
    influence <- sandwich::estfun(step$fit) %*% summary(step$fit)$cov.unscaled
    total[step$at, ] <- total[step$at, ] + influence %*% crossprod(slope, scores)
  }
  V <- crossprod(total %*% summary(fit)$cov.unscaled)
  ratio(coef(fit)[[name]], sqrt(V[name, name]))
}

# ---- deaths and emigrations ----

of_category <- function(eligible, exposure, k) eligible[eligible[[paste0(exposure, "_category")]] %in% k, ]

# The share of a category in a state at the wave's last response.
state_share <- function(eligible, exposure, k, state) mean(of_category(eligible, exposure, k)$state == state)

# Whole years until which at least half of those without an event were followed.
horizon <- function(eligible, exposure) {
  known <- eligible[!is.na(eligible[[exposure]]), ]
  max(floor(median(known$vital_years[is.na(known$vital_event)])), 1)
}

# Aalen and Johansen's cumulative incidence. Needs survival.
incidence <- function(eligible, exposure, k, event) {
  people <- of_category(eligible, exposure, k)
  happened <- ifelse(is.na(people$vital_event), "none", people$vital_event)
  state <- factor(happened, c("none", "died", "emigrated"))
  fit <- survival::survfit(survival::Surv(pmax(people$vital_years, 0), state) ~ 1, conf.int = CONFIDENCE)
  at <- summary(fit, times = horizon(eligible, exposure), extend = TRUE)
  i <- match(event, at$states)
  c(estimate = at$pstate[1, i], low = at$lower[1, i], high = at$upper[1, i], se = at$std.err[1, i])
}

# A ratio among the living and the dead, if all or none of the dead of the category (and of the reference) had the outcome.
death_bound <- function(x, people, eligible, exposure, k, all_here, all_there) {
  part <- function(k, all) {
    here <- of_category(eligible, exposure, k)
    dead <- mean(here$state[here$state != "emigrated"] == "dead")
    risk <- mean(people$low_back_pain[people[[paste0(exposure, "_category")]] %in% k])
    1 + dead * ((if (all) 1 / risk else 0) - 1)
  }
  x[["estimate"]] * part(k, all_here) / part(1, all_there)
}

# ---- missing covariates ----

# Multiple imputation by the package mice, with its own random draws: equal up to Monte Carlo error.
imputed <- function(formula, eligible, name) {
  answered <- eligible[eligible$answered & complete.cases(eligible[, EXPOSURES]), ]
  used <- answered[, c("low_back_pain", ADJUSTED, paste0(EXPOSURES, "_category"))]
  copies <- mice::mice(used, m = IMPUTATIONS, maxit = IMPUTATION_ROUNDS, printFlag = FALSE, seed = SEED)
  fits <- lapply(1:IMPUTATIONS, function(i) poisson_fit(formula, mice::complete(copies, i)))
  pooled <- mice::pool.scalar(
    sapply(fits, function(fit) coef(fit)[[name]]), sapply(fits, function(fit) robust(fit)[name, name]),
    nrow(used), length(coef(fits[[1]]))
  )
  half <- qt(.5 + CONFIDENCE / 2, pooled$df) * sqrt(pooled$t)
  c(estimate = exp(pooled$qbar), low = exp(pooled$qbar - half), high = exp(pooled$qbar + half), se = sqrt(pooled$t), fmi = pooled$fmi)
}

# ---- measurement error of walking ----

# Reliability of one day ("icc") and of individual means, by restricted maximum likelihood given covariates.
reliability <- function(days, people, exposure, covariates) {
  days <- days[!is.na(days[[exposure]]) & days$person %in% people$person, ]
  person <- match(days$person, people$person)
  X <- model.matrix(reformulate(covariates), people)[person, ]
  X[, -1] <- scale(X[, -1])
  weekend <- cbind(as.numeric(days$weekend %in% TRUE), as.numeric(is.na(days$weekend)))
  X <- cbind(X, weekend[, apply(weekend, 2, function(x) diff(range(x)) > 0), drop = FALSE])
  D <- cbind(X, days[[exposure]] - mean(days[[exposure]]))
  q <- ncol(D)
  sums <- rowsum(D, person)
  size <- as.vector(table(person))
  total <- crossprod(D)
  freedom <- nrow(D) - (q - 1)
  within <- function(rho) {
    u <- rho / (1 - rho)
    M <- total - crossprod(sums * sqrt(u / (1 + size * u)))
    list(M = M, v = (M[q, q] - drop(M[-q, q] %*% solve(M[-q, -q], M[-q, q]))) / freedom)
  }
  deviance <- function(rho) {
    found <- within(rho)
    freedom * log(found$v) + sum(log1p(size * rho / (1 - rho))) + determinant(found$M[-q, -q])$modulus[1]
  }
  rho <- optimize(deviance, c(0, .9999), tol = 1e-12)$minimum
  between <- within(rho)$v * rho / (1 - rho)
  c(icc = rho, reliability = between / (between + within(rho)$v * mean(1 / size)))
}

# The risk ratio of usual exposure from that of measured exposure.
undiluted <- function(x, factor) x[["estimate"]]^(1 / factor[["reliability"]])

# The mean usual exposure of a category.
usual_mean <- function(people, exposure, k, factor) {
  x <- people[[exposure]]
  mean(x) + factor[["reliability"]] * (mean(x[people[[paste0(exposure, "_category")]] == k]) - mean(x))
}

# ---- misclassification of the outcome ----

misclassified <- function(s, k, sensitivity, specificity) {
  true <- (s$risk + specificity - 1) / (sensitivity + specificity - 1)
  true[k] / true[1]
}

# Draws from a prior: trapezoidal by its four corners, or beta by its two parameters.
prior <- function(shape, values, n) {
  if (shape == "beta") rbeta(n, values[1], values[2]) else trapezoid(values, runif(n))
}

# The quantiles of a trapezoid at probabilities u.
trapezoid <- function(values, u) {
  a <- values[1]; b <- values[2]; c <- values[3]; d <- values[4]
  area <- u * (d + c - a - b) / 2
  rise <- (b - a) / 2
  flat <- c - b
  ifelse(area < rise, a + sqrt(2 * area * (b - a)), ifelse(
    area < rise + flat, b + area - rise, d - sqrt(2 * pmax((d + c - a - b) / 2 - area, 0) * (d - c))
  ))
}

# The median ratio over draws of both; R draws different numbers, so it is equal up to Monte Carlo error.
misclassified_draws <- function(s, k, sensitivity, specificity) {
  set.seed(SEED)
  se <- prior(sensitivity[[1]], sensitivity[[2]], DRAWS)
  sp <- prior(specificity[[1]], specificity[[2]], DRAWS)
  possible <- se + sp > 1 & sp > 1 - min(s$risk) & se >= max(s$risk)
  se <- se[possible]; sp <- sp[possible]
  eigen <- eigen(s$V, symmetric = TRUE)
  noise <- matrix(rnorm(length(se) * length(s$risk)), length(se)) %*% (sqrt(pmax(eigen$values, 0)) * t(eigen$vectors))
  excess <- outer(sp - 1, s$risk, `+`)
  logs <- log(excess / (se + sp - 1)) + noise / excess
  tail <- (1 - CONFIDENCE) / 2
  setNames(quantile(exp(logs[, k] - logs[, 1]), c(.5, tail, 1 - tail)), c("estimate", "low", "high"))
}

# ---- several biases at once ----

# The ratio of category k to the first, corrected for one bias of BIASES, "none" or "all": median and simulation limits,
# equal up to Monte Carlo error. Parameters of the two groups of a bias are correlated by a Gaussian copula.
combined_bias <- function(s, k, counts, what) {
  set.seed(BIASES$seed)
  n <- BIASES$draws
  drawn <- function(priors) {
    shared <- rnorm(n)
    lapply(priors, function(prior) {
      u <- pnorm(sqrt(BIASES$correlation) * shared + sqrt(1 - BIASES$correlation) * rnorm(n))
      if (prior[[1]] == "beta") qbeta(u, prior[[2]][1], prior[[2]][2]) else trapezoid(prior[[2]], u)
    })
  }
  corrects <- function(name) what %in% c(name, "all") && !is.null(BIASES[[name]])
  true <- function(share, se, sp) (share + sp - 1) / (se + sp - 1)
  possible <- function(share, se, sp) se + sp > 1 & share + sp > 1 & share < se

  at <- c(k, 1)
  eigen <- eigen(s$V[at, at] / outer(s$risk[at], s$risk[at]), symmetric = TRUE)
  noise <- matrix(rnorm(2 * n), n) %*% (sqrt(pmax(eigen$values, 0)) * t(eigen$vectors))
  risk <- list(s$risk[k] * exp(noise[, 1]), s$risk[1] * exp(noise[, 2]))
  fine <- risk[[1]] < 1 & risk[[2]] < 1
  if (corrects("outcome_misclassification")) {
    prior <- BIASES$outcome_misclassification
    se <- drawn(prior[c("sensitivity_top", "sensitivity_reference")])
    sp <- drawn(prior[c("specificity_top", "specificity_reference")])
    for (i in 1:2) fine <- fine & possible(risk[[i]], se[[i]], sp[[i]])
    risk <- Map(true, risk, se, sp)
  }
  top <- list(risk[[1]] * counts[[k]], (1 - risk[[1]]) * counts[[k]])
  reference <- list(risk[[2]] * counts[[1]], (1 - risk[[2]]) * counts[[1]])
  if (corrects("exposure_misclassification")) {
    prior <- BIASES$exposure_misclassification
    se <- drawn(prior[c("sensitivity_cases", "sensitivity_others")])
    sp <- drawn(prior[c("specificity_cases", "specificity_others")])
    for (i in 1:2) {
      all <- top[[i]] + reference[[i]]
      fine <- fine & possible(top[[i]] / all, se[[i]], sp[[i]])
      top[[i]] <- all * true(top[[i]] / all, se[[i]], sp[[i]])
      reference[[i]] <- all - top[[i]]
    }
  }
  if (corrects("selection")) {
    prior <- BIASES$selection
    share <- drawn(prior[c("top_cases", "top_others", "reference_cases", "reference_others")])
    for (i in 1:2) {
      top[[i]] <- top[[i]] / share[[i]]
      reference[[i]] <- reference[[i]] / share[[2 + i]]
    }
  }
  x <- top[[1]] / (top[[1]] + top[[2]]) / (reference[[1]] / (reference[[1]] + reference[[2]]))
  if (corrects("unmeasured_confounding")) {
    prior <- BIASES$unmeasured_confounding
    share <- drawn(prior[c("prevalence_top", "prevalence_reference")])
    excess <- drawn(prior["risk_ratio"])[[1]] - 1
    x <- x * (1 + share[[2]] * excess) / (1 + share[[1]] * excess)
  }
  tail <- (1 - CONFIDENCE) / 2
  setNames(quantile(x[fine], c(.5, tail, 1 - tail)), c("estimate", "low", "high"))
}

# ---- time use ----

# Participants with a 24-hour day, its parts closed to 24 hours.
days_of <- function(people) {
  people <- people[people$whole_days > 0, ]
  parts <- sapply(PARTS, function(columns) rowSums(people[, columns, drop = FALSE]))
  people$parts <- MINUTES * parts / rowSums(parts)
  people
}

isotemporal_fit <- function(people, covariates) {
  people <- days_of(people)
  people$z <- people$parts[, -1]
  fit <- poisson_fit(reformulate(c("z", covariates), "low_back_pain"), people)
  chosen <- 1 + seq_along(PARTS[-1])
  list(b = c(0, coef(fit)[chosen]), V = rbind(0, cbind(0, robust(fit)[chosen, chosen])))
}

# Minutes of one part in place of another.
isotemporal <- function(people, covariates, from, to, minutes) {
  fit <- isotemporal_fit(people, covariates)
  contrast(fit$b, fit$V, minutes * ((names(PARTS) == to) - (names(PARTS) == from)))
}

isotemporal_test <- function(people, covariates) {
  fit <- isotemporal_fit(people, covariates)
  wald_of(fit$b[-1], fit$V[-1, -1])
}

# Log-ratio EM: a zero of one part is below the detection limit and gets its expectation given the other parts.
impute_zeros <- function(parts, part, limit) {
  zero <- parts[, part] == 0
  others <- parts[, -part]
  last <- others[, ncol(others)]
  X <- cbind(1, log(others[, -ncol(others)] / last))
  y <- log(ifelse(zero, limit, parts[, part]) / last)
  ceiling <- y[zero]
  spare <- 0
  repeat {
    mean <- drop(X %*% qr.solve(X, y))
    sd <- sqrt((sum((y - mean)^2) + spare) / length(y))
    d <- (ceiling - mean[zero]) / sd
    mills <- exp(dnorm(d, log = TRUE) - pnorm(d, log.p = TRUE))
    spare <- sum(sd^2 * pmax(1 - d * mills - mills^2, 0))
    new <- mean[zero] - sd * mills
    change <- max(abs(new - y[zero]))
    y[zero] <- new
    if (change < 1e-8) break
  }
  parts[zero, part] <- exp(y[zero]) * last[zero]
  MINUTES * parts / rowSums(parts)
}

# The day as a composition: a coefficient for the logarithm of each part, summing to zero, and the mean day.
composition <- function(people, covariates) {
  people <- days_of(people)
  rare <- match(MAY_BE_ZERO, names(PARTS))
  people <- people[apply(people$parts[, -rare] > 0, 1, all), ]
  parts <- people$parts
  if (any(parts[, rare] == 0)) parts <- impute_zeros(parts, rare, EPOCH_SECONDS / 60 / people$whole_days)
  basis <- contr.helmert(ncol(parts))
  basis <- sweep(basis, 2, sqrt(colSums(basis^2)), `/`)
  people$z <- log(parts) %*% basis
  fit <- poisson_fit(reformulate(c("z", covariates), "low_back_pain"), people)
  chosen <- 1 + seq_len(ncol(basis))
  center <- exp(colMeans(log(parts)))
  list(
    b = drop(basis %*% coef(fit)[chosen]), V = basis %*% robust(fit)[chosen, chosen] %*% t(basis),
    center = setNames(MINUTES * center / sum(center), names(PARTS)),
    p = wald_of(coef(fit)[chosen], robust(fit)[chosen, chosen])
  )
}

# Minutes reallocated from one part of the mean day to another; a part doubled relative to the others.
reallocation <- function(fit, from, to, minutes) {
  moved <- fit$center + minutes * ((names(PARTS) == to) - (names(PARTS) == from))
  contrast(fit$b, fit$V, log(moved / fit$center))
}

doubling <- function(fit, part) contrast(fit$b, fit$V, log(2) * (names(PARTS) == part))

# ---- across waves ----

with_wave <- function(formula, answers) if (nlevels(droplevels(answers$wave)) > 1) update(formula, ~ . + wave) else formula

pooled <- function(formula, answers, name) rr(with_wave(formula, answers), droplevels(answers), name, cluster = "person")
pooled_test <- function(formula, answers, text) {
  wald(with_wave(formula, answers), droplevels(answers), text, cluster = "person")
}

# The ratio of a category in one wave, from a model in which the ratios differ between waves.
in_wave <- function(formula, answers, category, k, wave) {
  fit <- poisson_fit(update(formula, paste("~ . + wave +", category, ": wave")), answers)
  weights <- as.numeric(names(coef(fit)) %in% paste0(category, k, c("", paste0(":wave", wave))))
  contrast(coef(fit), robust(fit, answers$person), weights)
}

between_waves <- function(formula, answers, category) {
  wald(update(formula, paste("~ . + wave +", category, ": wave")), answers, ":wave", cluster = "person")
}

# At risk: without the outcome, or with it, at the previous wave (and the one before).
at_risk <- function(histories, course) {
  before <- histories$previous_low_back_pain
  chosen <- switch(course,
    incidence = before == 0, persistence = before == 1, recurrence = before == 0 & histories$earlier_low_back_pain == 1
  )
  histories[chosen %in% TRUE & complete.cases(histories[, EXPOSURES]), ]
}

# What another wave would add to a pooled ratio.
events_to_come <- function(answers) ANSWER_SHARE * sum(answers$low_back_pain[as.integer(answers$wave) == nlevels(answers$wave)])
distance <- function() qnorm(.5 + CONFIDENCE / 2) + qnorm(POWER)
projected <- function(x, answers) {
  events <- sum(answers$low_back_pain)
  ratio(log(x[["estimate"]]), x[["se"]] * sqrt(events / (events + events_to_come(answers))))
}
detectable <- function(x, answers) exp(-distance() * projected(x, answers)[["se"]])
waves_needed <- function(x, answers) {
  times <- (distance() * x[["se"]] / log(x[["estimate"]]))^2
  max(0, ceiling(round((times - 1) * sum(answers$low_back_pain) / events_to_come(answers), 9)))
}
